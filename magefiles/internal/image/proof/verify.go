package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Wanted describes the expected properties of an image.
type Wanted struct {
	Repository string
	Platforms  []string // platforms; the index must have one image for each, and no others
	Labels     []Label  // labels of each image; labels with an empty value are not checked
	Settings   Label    // label that must be the same on all images
	SBOM       bool     // each image must have an SBOM
}

// Label is a label of an image.
type Label struct{ Name, Value string }

// Verify compares an index with the expected properties. The index must have the digest that the builder reported (unless digest is ""), and
// exactly one image for each expected platform, with all labels and attestations.
func Verify(i *registry.Index, digest string, w Wanted) error {
	at := w.Repository + "@" + i.Digest
	if digest != "" && i.Digest != digest {
		return refuse("the builder reported %s, but the registry has %s", digest, i.Digest)
	}
	var have []string
	for _, one := range i.Images {
		if slices.Contains(have, one.Platform) {
			return refuse("%s has two images for %s", at, one.Platform)
		}
		have = append(have, one.Platform)
		if !slices.Contains(w.Platforms, one.Platform) {
			return refuse("%s has an image for %s, which was not requested", at, one.Platform)
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
	return operr.New("look for the reason in the log of the build, then run the same command again; no tag was moved", format, args...)
}

// verifyImage checks an image's labels and attestations.
func verifyImage(one registry.Image, w Wanted) error {
	for _, l := range w.Labels {
		if got := one.Labels[l.Name]; l.Value != "" && got != l.Value {
			return fmt.Errorf("the label %s is %q, but the build set %q", l.Name, got, l.Value)
		}
	}
	if one.Labels[w.Settings.Name] != w.Settings.Value {
		return fmt.Errorf("the image was built with different settings, for example another PIXI_IMAGE; `mage docker:plan` prints the settings of this build")
	}
	if !IsAttested(one, registry.Provenance) {
		return fmt.Errorf("the image has no provenance")
	}
	if w.SBOM && !IsAttested(one, registry.SBOM) {
		return fmt.Errorf("the image has no SBOM")
	}
	return nil
}

// IsAttested reports whether an image has an attestation with the predicate type.
func IsAttested(one registry.Image, predicate string) bool {
	return slices.ContainsFunc(one.Attestations, func(a string) bool { return strings.HasPrefix(a, predicate) })
}
