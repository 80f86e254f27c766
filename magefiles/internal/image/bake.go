package image

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Bake is a definition for `docker buildx bake`, as JSON.
type Bake struct {
	Target map[string]Target `json:"target"`
}

// Target is one target of a definition. Where its output goes is not part of a plan (see Job).
type Target struct {
	Context     string            `json:"context"`
	Platforms   []string          `json:"platforms"`
	Args        map[string]string `json:"args,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations []string          `json:"annotations,omitempty"`
	Attest      []string          `json:"attest,omitempty"`
	Secret      []Secret          `json:"secret,omitempty"`
	SSH         []string          `json:"ssh,omitempty"`
	CacheFrom   []string          `json:"cache-from,omitempty"`
	CacheTo     []string          `json:"cache-to,omitempty"`
	NoCache     bool              `json:"no-cache,omitempty"`
	Output      []string          `json:"output,omitempty"`
}

// Secret is a file, or a variable of the environment, that a build step may read, and that no layer holds.
type Secret struct {
	Type string `json:"type"` // file or env
	ID   string `json:"id"`
	Src  string `json:"src,omitempty"`
	Env  string `json:"env,omitempty"`
}

// bake makes the definition. The label that the plan is known by is a digest of all the rest but the places on this
// machine.
func (p *Plan) bake() Bake {
	t := Target{
		Context:   p.context,
		Platforms: p.Platforms,
		Args:      p.Args,
		Labels:    maps.Clone(p.Labels),
		Attest:    []string{"type=provenance,mode=max"},
	}
	if p.SBOM != "" {
		t.Attest = append(t.Attest, "type=sbom,generator="+p.SBOM)
	}
	t.Labels[labelPlan] = p.digest(t)
	p.Labels = t.Labels
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		t.Annotations = append(t.Annotations, "index,manifest:"+key+"="+p.Labels[key])
	}
	for _, id := range p.Secrets {
		if file, ok := p.secrets[id]; ok {
			t.Secret = append(t.Secret, Secret{Type: "file", ID: id, Src: file})
		} else {
			t.Secret = append(t.Secret, Secret{Type: "env", ID: id, Env: id})
		}
	}
	if p.SSH {
		t.SSH = []string{agent}
	}
	if p.Cache == workspace.CacheRegistry {
		for _, platform := range p.Platforms {
			t.CacheFrom = append(t.CacheFrom, "type=registry,ref="+p.cacheRef(platform))
		}
	}
	return Bake{Target: map[string]Target{"default": t}}
}

// MarshalJSON keeps bake from reading "${" and "%{" in the values as expressions of its own.
func (t Target) MarshalJSON() ([]byte, error) {
	type plain Target
	c := plain(t)
	c.Context, c.Args, c.Labels = literal(t.Context), literals(t.Args), literals(t.Labels)
	c.Annotations = slices.Clone(t.Annotations)
	for i, a := range c.Annotations {
		c.Annotations[i] = literal(a)
	}
	c.Output, c.Secret = slices.Clone(t.Output), slices.Clone(t.Secret)
	for i, o := range c.Output {
		c.Output[i] = literal(o)
	}
	for i := range c.Secret {
		c.Secret[i].Src = literal(t.Secret[i].Src)
	}
	return json.Marshal(c)
}

func literal(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

func literals(m map[string]string) map[string]string {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = literal(v)
	}
	return out
}

// digest is of what decides about the image of a platform: not of how many platforms there are, since native runners build
// one each, of one plan; nor of what is attested, which Verify looks for by itself.
func (p *Plan) digest(t Target) string {
	t.Context, t.Platforms, t.Attest = p.Dir, nil, nil
	text, err := json.Marshal(struct {
		Target  Target
		Rewrite bool
	}{t, p.Rewrite})
	if err != nil {
		panic(err) // strings, and maps of them, can be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// cacheRef is where the cache of one platform lies: two in one place would overwrite each other.
func (p *Plan) cacheRef(platform string) string {
	return p.Repository + ":cache-" + strings.ReplaceAll(platform, "/", "-")
}

// The outputs of a build.
const optionsOfOutput = ",oci-mediatypes=true"

// pushed is the definition whose image goes to the registry, by digest alone.
func (p *Plan) pushed() Bake {
	return p.with(func(t *Target) {
		t.Output = []string{"type=image,name=" + p.Repository + ",push=true,push-by-digest=true,name-canonical=true" + optionsOfOutput + p.rewrite()}
		for _, from := range t.CacheFrom {
			t.CacheTo = append(t.CacheTo, from+",mode=max,ignore-error=true")
		}
	})
}

// kept is the definition whose image is put into a folder of this machine, as an OCI layout.
func (p *Plan) kept(dir string) Bake {
	return p.with(func(t *Target) {
		t.Output = []string{"type=oci," + csvField("dest="+dir) + ",tar=false" + optionsOfOutput + p.rewrite()}
	})
}

// loaded is the definition whose image goes to the docker engine under the names given, for one platform.
func (p *Plan) loaded(platform string, names []string) Bake {
	return p.with(func(t *Target) {
		t.Platforms, t.Attest, t.Annotations = []string{platform}, nil, nil
		t.Output = []string{"type=docker," + csvField("name="+strings.Join(names, ",")) + p.rewrite()}
	})
}

// csvField is one field of an output, which is a line of CSV, whatever is in it.
func csvField(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// valueOf is that of a key in an output.
func valueOf(output, key string) (value string, ok bool) {
	fields, err := csv.NewReader(strings.NewReader(output)).Read()
	if err != nil {
		return "", false
	}
	for _, field := range fields {
		if value, ok = strings.CutPrefix(field, key+"="); ok {
			return value, true
		}
	}
	return "", false
}

// pushesTo is the repository to which a definition pushes; "" where it pushes nothing.
func pushesTo(b Bake) string {
	for _, t := range b.Target {
		for _, o := range t.Output {
			if name, ok := valueOf(o, "name"); ok && strings.Contains(o, "push=true") {
				return name
			}
		}
	}
	return ""
}

// from is the definition that builds another folder, of the same content.
func (b Bake) from(context string) Bake {
	t := b.Target["default"]
	t.Context = context
	return Bake{Target: map[string]Target{"default": t}}
}

// fresh is the definition without any cache.
func (b Bake) fresh() Bake {
	t := b.Target["default"]
	t.NoCache, t.CacheFrom, t.CacheTo = true, nil, nil
	return Bake{Target: map[string]Target{"default": t}}
}

func (p *Plan) rewrite() string {
	if p.Rewrite {
		return ",rewrite-timestamp=true"
	}
	return ""
}

func (p *Plan) with(change func(t *Target)) Bake {
	t := p.Definition.Target["default"]
	t.Annotations, t.Attest = slices.Clone(t.Annotations), slices.Clone(t.Attest)
	change(&t)
	return Bake{Target: map[string]Target{"default": t}}
}
