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

// makeTarget returns the build target, without a destination and without anything specific to this machine, such as paths.
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

// digest returns the label that identifies the plan. The digest covers everything that determines the image of one platform. It excludes paths of
// this machine, and the list of platforms, because each native runner builds one platform of the same plan. It also excludes attestations, which
// are verified separately.
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
		panic(err) // unreachable: strings and maps of strings can always be marshaled
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// define returns the bake definition.
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

// cacheRef returns the cache tag for one platform. Each platform has its own tag, because two builds with the same tag would overwrite each other's
// cache.
func (p *Plan) cacheRef(platform string) string {
	return p.Repository + ":cache-" + strings.ReplaceAll(platform, "/", "-")
}

// push returns the definition that pushes the image to the registry.
func (p *Plan) push() buildx.Bake { return p.Definition.Push(p.Repository, p.Rewrite) }

// keep returns the definition that exports the image to a folder.
func (p *Plan) keep(dir string) buildx.Bake { return p.Definition.Keep(dir, p.Rewrite) }

// load returns the definition that loads the image of one platform into the docker engine.
func (p *Plan) load(platform string, names []string) buildx.Bake {
	return p.Definition.Load(platform, names, p.Rewrite)
}
