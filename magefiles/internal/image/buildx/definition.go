package buildx

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Bake is a definition for `docker buildx bake`, as JSON.
type Bake struct {
	Target map[string]Target `json:"target"`
}

// Target is one target of a definition.
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

// MarshalJSON keeps bake from reading "${" and "%{" in the values as expressions of its own.
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

// escape keeps a value from being read as an expression.
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

// CSVField is one field of an output, which is a line of CSV, whatever is in it.
func CSVField(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// readOption is that of a key in an output.
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

// findRepository is the repository to which a definition pushes; "" where it pushes nothing.
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

// Push is the definition whose image goes to a repository, by digest alone. rewrite gives all files the time of the build's date.
func (b Bake) Push(repository string, rewrite bool) Bake {
	return b.with(func(t *Target) {
		t.Output = []string{"type=image,name=" + repository + ",push=true,push-by-digest=true,name-canonical=true" + optionsOfOutput + spellRewrite(rewrite)}
		for _, from := range t.CacheFrom {
			t.CacheTo = append(t.CacheTo, from+",mode=max,ignore-error=true")
		}
	})
}

// Keep is the definition whose image is put into a folder of this machine, as an OCI layout.
func (b Bake) Keep(dir string, rewrite bool) Bake {
	return b.with(func(t *Target) {
		t.Output = []string{"type=oci," + CSVField("dest="+dir) + ",tar=false" + optionsOfOutput + spellRewrite(rewrite)}
	})
}

// Load is the definition whose image goes to the docker engine under the names given, for one platform.
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

// with is a definition that differs: the one that it is made of stays as it is.
func (b Bake) with(change func(t *Target)) Bake {
	t := b.Target["default"]
	t.Annotations, t.Attest = slices.Clone(t.Annotations), slices.Clone(t.Attest)
	change(&t)
	return Bake{Target: map[string]Target{"default": t}}
}

// From is the definition that builds another folder, of the same content.
func (b Bake) From(context string) Bake {
	return b.with(func(t *Target) { t.Context = context })
}

// WithoutCache is the definition without any cache.
func (b Bake) WithoutCache() Bake {
	return b.with(func(t *Target) { t.NoCache, t.CacheFrom, t.CacheTo = true, nil, nil })
}

// Modest is the definition whose provenance leaves out what the build was given: build arguments, and the Dockerfile with its sources.
func (b Bake) Modest() Bake {
	return b.with(func(t *Target) {
		for n, a := range t.Attest {
			t.Attest[n] = strings.Replace(a, "type=provenance,mode=max", "type=provenance,mode=min", 1)
		}
	})
}
