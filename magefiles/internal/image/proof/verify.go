package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Wanted is what an image has to be.
type Wanted struct {
	Repository string
	Platforms  []string // one image for each, and no other
	Labels     []Label  // that each image has; those without a value are not looked for
	Settings   Label    // that images of the same settings have
	SBOM       bool     // there is one about each image
}

// Label is one of an image, and its value.
type Label struct{ Name, Value string }

// Verify compares what is there with what is wanted: the digest is the one that the builder reported ("" compares none), every platform is
// there once and no other, each has the labels, and what is to be attested about it.
func Verify(i *registry.Index, digest string, w Wanted) error {
	at := w.Repository + "@" + i.Digest
	if digest != "" && i.Digest != digest {
		return refuse("the builder reported %s, and what is there is %s", digest, i.Digest)
	}
	var have []string
	for _, one := range i.Images {
		if slices.Contains(have, one.Platform) {
			return refuse("%s has %s twice", at, one.Platform)
		}
		have = append(have, one.Platform)
		if !slices.Contains(w.Platforms, one.Platform) {
			return refuse("%s has %s, which was not asked for", at, one.Platform)
		}
		if err := verifyImage(one, w); err != nil {
			return refuse("%s, %s: %w", at, one.Platform, err)
		}
	}
	for _, want := range w.Platforms {
		if !slices.Contains(have, want) {
			return refuse("%s has no image for %s", at, want)
		}
	}
	return nil
}

func refuse(format string, args ...any) error {
	return operr.New("no tag was moved; look at the build, and run it again", format, args...)
}

// verifyImage compares every label, and finds every attestation.
func verifyImage(one registry.Image, w Wanted) error {
	for _, l := range w.Labels {
		if got := one.Labels[l.Name]; l.Value != "" && got != l.Value {
			return fmt.Errorf("its label %s is %q, and %q was built", l.Name, got, l.Value)
		}
	}
	if one.Labels[w.Settings.Name] != w.Settings.Value {
		return fmt.Errorf("it was built with other settings, such as PIXI_IMAGE: docker:plan prints ours")
	}
	if !IsAttested(one, registry.Provenance) {
		return fmt.Errorf("it has no provenance")
	}
	if w.SBOM && !IsAttested(one, registry.SBOM) {
		return fmt.Errorf("it has no SBOM")
	}
	return nil
}

// IsAttested reports whether something of a kind is attested about an image.
func IsAttested(one registry.Image, predicate string) bool {
	return slices.ContainsFunc(one.Attestations, func(a string) bool { return strings.HasPrefix(a, predicate) })
}
