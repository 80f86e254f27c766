package image

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// VerifyPushed refuses an image of a repository that is not one of ours as a build has left it: of whatever commit it is, it was made under this
// name with nothing uncommitted, and all of its platforms have the same labels, and the attestations that belong to them.
//
// source is the address that our images have as their label, "" where it is not known: an image of another repository is none of ours.
func VerifyPushed(i *registry.Index, repository, name, source string) error {
	next := "see who pushed it; `mage docker:image " + operr.Word(name) + " -push` makes one that is ours"
	refuse := func(format string, args ...any) error { return operr.New(next, format, args...) }
	at := repository + "@" + i.Digest
	if len(i.Images) == 0 {
		return refuse("%s has no image", at)
	}
	first := i.Images[0]
	for _, label := range []string{labelRevision, labelPlan} {
		if first.Labels[label] == "" {
			return refuse("%s was not made by docker:image: it has no label %s", at, label)
		}
	}
	if strings.HasSuffix(first.Labels[labelRevision], dirty) {
		return refuse("%s was made of changes that nobody has committed: its revision is %s", at, first.Labels[labelRevision])
	}
	if got := first.Labels[labelSource]; got != "" && source != "" && !strings.EqualFold(withoutHost(got), withoutHost(source)) {
		return refuse("%s was made of another repository: %s, and ours is %s", at, got, source)
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
			if got := one.Labels[label]; first.Labels[label] == "" && got != "" { // which Verify does not look for
				return refuse("%s, %s: its label %s is %q, and %s has none", at, one.Platform, label, got, first.Platform)
			}
		}
	}
	return nil
}

// withoutHost is the path of a repository's address: OpenSSH's configuration may have another name for the host.
func withoutHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	return path
}
