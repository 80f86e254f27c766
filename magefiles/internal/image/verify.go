package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Verify compares what is there with the plan: the digest is the one that the builder reported ("" compares none), every
// platform is there once and no other, each says the revision, version and plan that were built, and has what is to be
// attested about it.
func (p *Plan) Verify(i *registry.Index, digest string) error {
	at := p.Repository + "@" + i.Digest
	if digest != "" && i.Digest != digest {
		return bad("the builder reported %s, and what is there is %s", digest, i.Digest)
	}
	var have []string
	for _, one := range i.Images {
		if slices.Contains(have, one.Platform) {
			return bad("%s has %s twice", at, one.Platform)
		}
		have = append(have, one.Platform)
		if !slices.Contains(p.Platforms, one.Platform) {
			return bad("%s has %s, which was not asked for", at, one.Platform)
		}
		if err := p.verifyImage(one); err != nil {
			return bad("%s, %s: %w", at, one.Platform, err)
		}
	}
	for _, want := range p.Platforms {
		if !slices.Contains(have, want) {
			return bad("%s has no image for %s", at, want)
		}
	}
	return nil
}

func bad(format string, args ...any) error {
	return operr.New("no tag was moved; look at the build, and run it again", format, args...)
}

// verifyImage compares every label of the plan, and finds every attestation.
func (p *Plan) verifyImage(one registry.Image) error {
	for _, key := range []string{labelRevision, labelVersion, labelCreated, labelTitle, labelSource, labelBase, labelBaseDigest} {
		if want, got := p.Labels[key], one.Labels[key]; want != "" && got != want {
			return fmt.Errorf("its label %s is %q, and %q was built", key, got, want)
		}
	}
	if one.Labels[labelPlan] != p.Labels[labelPlan] {
		return fmt.Errorf("it was built with other settings, such as PIXI_IMAGE: docker:plan prints ours")
	}
	if !attested(one, registry.Provenance) {
		return fmt.Errorf("it has no provenance")
	}
	if p.SBOM != "" && !attested(one, registry.SBOM) {
		return fmt.Errorf("it has no SBOM")
	}
	return nil
}

func attested(one registry.Image, predicate string) bool {
	return slices.ContainsFunc(one.Attestations, func(a string) bool { return strings.HasPrefix(a, predicate) })
}

// Mergeable says which digests of parts make the image of a plan, and refuses what would leave a platform out, hold one
// twice, or mix revisions.
func (p *Plan) Mergeable(parts []*registry.Index) error {
	whole := registry.Index{Digest: "the digests to be merged"}
	revision := ""
	for _, part := range parts {
		for _, one := range part.Images {
			if r := one.Labels[labelRevision]; revision == "" {
				revision = r
			} else if r != revision {
				return operr.New("build them all from one commit", "%s was built from %s, and another one from %s: nothing was merged", part.Digest, r, revision)
			}
			whole.Images = append(whole.Images, one)
		}
	}
	var have []string
	for _, one := range whole.Images {
		have = append(have, one.Platform)
	}
	for _, want := range p.Platforms {
		if !slices.Contains(have, want) {
			return operr.New("build it for "+want+" too, and give its digest", "no digest is for %s: nothing was merged", want)
		}
	}
	for _, one := range parts {
		only := *p
		only.Platforms = nil
		for _, i := range one.Images {
			only.Platforms = append(only.Platforms, i.Platform)
		}
		if err := only.Verify(one, ""); err != nil {
			return err
		}
	}
	slices.Sort(have)
	if len(slices.Compact(have)) != len(whole.Images) {
		return operr.New("give one digest for each platform", "two digests are for one platform: nothing was merged")
	}
	return nil
}
