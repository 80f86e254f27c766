package buildx

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Bake is a definition for `docker buildx bake`, encoded as JSON.
type Bake struct {
	Target map[string]Target `json:"target"`
}

// Target is a target in a definition.
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

// Secret is a file or an environment variable that build steps can read. It is not stored in any layer.
type Secret struct {
	Type string `json:"type"` // file or env
	ID   string `json:"id"`
	Src  string `json:"src,omitempty"`
	Env  string `json:"env,omitempty"`
}

// MarshalJSON escapes the values, so that bake does not evaluate "${" and "%{" as expressions.
func (t Target) MarshalJSON() ([]byte, error) {
	type plain Target
	c := plain(t)
	c.Context, c.Args, c.Labels = escape(t.Context), escapeAll(t.Args), escapeAll(t.Labels)
	c.Annotations = slices.Clone(t.Annotations)
	for i, a := range c.Annotations {
		c.Annotations[i] = escape(a)
	}
	c.Output, c.Secret = slices.Clone(t.Output), slices.Clone(t.Secret)
	for i, o := range c.Output {
		c.Output[i] = escape(o)
	}
	for i := range c.Secret {
		c.Secret[i].Src = escape(t.Secret[i].Src)
	}
	return json.Marshal(c)
}

// escape prevents bake from evaluating parts of s as expressions.
func escape(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

func escapeAll(m map[string]string) map[string]string {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = escape(v)
	}
	return out
}

const optionsOfOutput = ",oci-mediatypes=true"

// CSVField quotes a text as a field of an output, which is a CSV record.
func CSVField(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// readOption returns the value of a key in an output.
func readOption(output, key string) (value string, ok bool) {
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

// findRepository returns the repository to which a definition pushes, or "" if it does not push.
func findRepository(b Bake) string {
	for _, t := range b.Target {
		for _, o := range t.Output {
			if name, ok := readOption(o, "name"); ok && strings.Contains(o, "push=true") {
				return name
			}
		}
	}
	return ""
}

// Push returns a definition that pushes the image to a repository by digest only. If rewrite is true, all file timestamps are set to the build's
// date.
func (b Bake) Push(repository string, rewrite bool) Bake {
	return b.with(func(t *Target) {
		t.Output = []string{"type=image,name=" + repository + ",push=true,push-by-digest=true,name-canonical=true" + optionsOfOutput + spellRewrite(rewrite)}
		for _, from := range t.CacheFrom {
			t.CacheTo = append(t.CacheTo, from+",mode=max,ignore-error=true")
		}
	})
}

// Keep returns a definition that exports the image to a local folder as an OCI layout.
func (b Bake) Keep(dir string, rewrite bool) Bake {
	return b.with(func(t *Target) {
		t.Output = []string{"type=oci," + CSVField("dest="+dir) + ",tar=false" + optionsOfOutput + spellRewrite(rewrite)}
	})
}

// Load returns a definition that loads the image of one platform into the docker engine, with the given names.
func (b Bake) Load(platform string, names []string, rewrite bool) Bake {
	return b.with(func(t *Target) {
		t.Platforms, t.Attest, t.Annotations = []string{platform}, nil, nil
		t.Output = []string{"type=docker," + CSVField("name="+strings.Join(names, ",")) + spellRewrite(rewrite)}
	})
}

func spellRewrite(rewrite bool) string {
	if rewrite {
		return ",rewrite-timestamp=true"
	}
	return ""
}

// `with` returns a copy of the definition, modified by change.
func (b Bake) with(change func(t *Target)) Bake {
	t := b.Target["default"]
	t.Annotations, t.Attest = slices.Clone(t.Annotations), slices.Clone(t.Attest)
	change(&t)
	return Bake{Target: map[string]Target{"default": t}}
}

// From returns a definition that builds from another folder, which must have the same content.
func (b Bake) From(context string) Bake {
	return b.with(func(t *Target) { t.Context = context })
}

// WithoutCache returns a definition that neither reads nor writes a cache.
func (b Bake) WithoutCache() Bake {
	return b.with(func(t *Target) { t.NoCache, t.CacheFrom, t.CacheTo = true, nil, nil })
}

// Modest returns a definition with reduced provenance, which omits the build arguments and the Dockerfile.
func (b Bake) Modest() Bake {
	return b.with(func(t *Target) {
		for n, a := range t.Attest {
			t.Attest[n] = strings.Replace(a, "type=provenance,mode=max", "type=provenance,mode=min", 1)
		}
	})
}
