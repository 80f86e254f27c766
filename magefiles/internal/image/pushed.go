package image

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// VerifyPushed returns an error unless the image was built by this repository. The image must have this name, a clean commit, the same labels on
// all platforms, and attestations for each platform.
//
// `source` is the address that our images have in their source label; "" if unknown. An image with a different address is rejected.
func VerifyPushed(i *registry.Index, repository, name, source string) error {
	next := "find out who pushed this image; to build and push the image of this repository, run `mage docker:image " + operr.Word(name) + " -push`"
	refuse := func(format string, args ...any) error { return operr.New(next, format, args...) }
	at := repository + "@" + i.Digest
	if len(i.Images) == 0 {
		return refuse("%s has no image", at)
	}
	first := i.Images[0]
	for _, label := range []string{labelRevision, labelPlan} {
		if first.Labels[label] == "" {
			return refuse("%s was not made by docker:image, because it has no label %s", at, label)
		}
	}
	if strings.HasSuffix(first.Labels[labelRevision], dirty) {
		return refuse("%s was built from uncommitted changes: its revision is %s", at, first.Labels[labelRevision])
	}
	if got := first.Labels[labelSource]; got != "" && source != "" && !strings.EqualFold(withoutHost(got), withoutHost(source)) {
		return refuse("%s was built from another repository: found %s, expected %s", at, got, source)
	}
	w := proof.Wanted{
		Repository: repository,
		Labels:     []proof.Label{{Name: labelTitle, Value: name}},
		Settings:   proof.Label{Name: labelPlan, Value: first.Labels[labelPlan]},
		SBOM:       slices.ContainsFunc(i.Images, func(one registry.Image) bool { return proof.IsAttested(one, registry.SBOM) }),
	}
	for _, one := range i.Images {
		if !slices.Contains(w.Platforms, one.Platform) {
			w.Platforms = append(w.Platforms, one.Platform)
		}
	}
	same := []string{labelRevision, labelVersion, labelCreated, labelSource, labelBase, labelBaseDigest}
	for _, label := range same {
		w.Labels = append(w.Labels, proof.Label{Name: label, Value: first.Labels[label]})
	}
	if err := proof.Verify(i, "", w); err != nil {
		return refuse("%w", err)
	}
	for _, one := range i.Images {
		for _, label := range same {
			if got := one.Labels[label]; first.Labels[label] == "" && got != "" { // Verify skips labels that the first image lacks
				return refuse("%s, %s: the label %s is %q, but the image for %s does not have this label", at, one.Platform, label, got, first.Platform)
			}
		}
	}
	return nil
}

// withoutHost returns the path part of a repository's address. The host is ignored, because OpenSSH's configuration may define an alias for it.
func withoutHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	return path
}
