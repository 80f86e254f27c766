package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// makeTarget is what is built, but for where it goes and what only this machine has.
func (p *Plan) makeTarget() buildx.Target {
	t := buildx.Target{
		Context:   p.context,
		Platforms: slices.Clone(p.Platforms),
		Args:      maps.Clone(p.Args),
		Labels:    maps.Clone(p.Labels),
		Attest:    []string{"type=provenance,mode=max"},
	}
	if p.SBOM != "" {
		t.Attest = append(t.Attest, "type=sbom,generator="+p.SBOM)
	}
	return t
}

// digest is the label that the plan is known by. It is of what decides about the image of a platform, but for the places on this machine:
// not of how many platforms there are, since native runners build one each, of one plan; nor of what is attested, which is looked for when
// an image is proved.
func (p *Plan) digest() string {
	t := p.makeTarget()
	delete(t.Labels, labelPlan)
	t.Context, t.Platforms, t.Attest = p.Dir, nil, nil
	text, err := json.Marshal(struct {
		Target  buildx.Target
		Rewrite bool
	}{
		Target:  t,
		Rewrite: p.Rewrite,
	})
	if err != nil {
		panic(err) // strings, and maps of them, can be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// define makes the definition.
func (p *Plan) define() buildx.Bake {
	t := p.makeTarget()
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		t.Annotations = append(t.Annotations, "index,manifest:"+key+"="+p.Labels[key])
	}
	for _, id := range p.Secrets {
		if file, ok := p.secrets[id]; ok {
			t.Secret = append(t.Secret, buildx.Secret{Type: "file", ID: id, Src: file})
		} else {
			t.Secret = append(t.Secret, buildx.Secret{Type: "env", ID: id, Env: id})
		}
	}
	if p.SSH {
		t.SSH = []string{agent}
	}
	if p.Cache == settings.CacheRegistry {
		for _, platform := range p.Platforms {
			t.CacheFrom = append(t.CacheFrom, "type=registry,ref="+p.cacheRef(platform))
		}
	}
	return buildx.Bake{Target: map[string]buildx.Target{"default": t}}
}

// cacheRef is where the cache of one platform lies: two in one place would overwrite each other.
func (p *Plan) cacheRef(platform string) string {
	return p.Repository + ":cache-" + strings.ReplaceAll(platform, "/", "-")
}

// push is the definition whose image goes to the registry.
func (p *Plan) push() buildx.Bake { return p.Definition.Push(p.Repository, p.Rewrite) }

// keep is the definition whose image is put into a folder.
func (p *Plan) keep(dir string) buildx.Bake { return p.Definition.Keep(dir, p.Rewrite) }

// load is the definition whose image goes to the docker engine, for one platform.
func (p *Plan) load(platform string, names []string) buildx.Bake {
	return p.Definition.Load(platform, names, p.Rewrite)
}
