package image

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// An image that was pushed earlier must look like one of our builds, for any commit.
func TestVerifyPushed(t *testing.T) {
	t.Parallel()
	const name, repository, source = "app", "registry.example.org/team/app", "https://example.org/team"
	made := func() *registry.Index {
		i := &registry.Index{Digest: "sha256:1"}
		for _, platform := range []string{"linux/amd64", "linux/arm64"} {
			i.Images = append(i.Images, registry.Image{
				Platform:     platform,
				Labels:       map[string]string{labelTitle: name, labelRevision: "1111", labelPlan: "p", labelSource: "https://example.org/team"},
				Attestations: []string{registry.Provenance + "v1", registry.SBOM},
			})
		}
		return i
	}
	for _, ours := range []string{source, "https://work-alias/Team", ""} {
		require.NoError(t, VerifyPushed(made(), repository, name, ours), ours)
	}
	require.ErrorContains(t, VerifyPushed(made(), repository, "another", source), `linux/amd64: the label `+labelTitle+` is "app", but`)
	for _, label := range []string{labelRevision, labelVersion, labelCreated, labelSource, labelBase, labelBaseDigest} {
		i := made()
		i.Images[1].Labels[label] = "of another build"
		require.ErrorContains(t, VerifyPushed(i, repository, name, source), `linux/arm64: the label `+label+` is "of another build"`)
	}
	for want, change := range map[string]func(i *registry.Index){
		"has no image": func(i *registry.Index) { i.Images = nil },
		"was not made by docker:image, because it has no label " + labelPlan: func(i *registry.Index) { delete(i.Images[0].Labels, labelPlan) },
		"it has no label " + labelRevision:                                   func(i *registry.Index) { i.Images[0].Labels = nil },
		"was built from uncommitted changes: its revision is 1111-dirty":     func(i *registry.Index) { i.Images[0].Labels[labelRevision] = "1111-dirty" },
		`the label org.opencontainers.image.title is "other", but`:           func(i *registry.Index) { i.Images[1].Labels[labelTitle] = "other" },
		`linux/arm64: the label ` + labelRevision + ` is "2222"`:             func(i *registry.Index) { i.Images[1].Labels[labelRevision] = "2222" },
		`the label ` + labelSource + ` is ""`:                                func(i *registry.Index) { delete(i.Images[1].Labels, labelSource) },
		"was built from another repository: found https://example.org/fork": func(i *registry.Index) {
			for _, one := range i.Images {
				one.Labels[labelSource] = "https://example.org/fork"
			}
		},
		"was built with different settings":        func(i *registry.Index) { i.Images[1].Labels[labelPlan] = "q" },
		"linux/amd64: the image has no provenance": func(i *registry.Index) { i.Images[0].Attestations = []string{registry.SBOM} },
		"linux/arm64: the image has no SBOM":       func(i *registry.Index) { i.Images[1].Attestations = i.Images[1].Attestations[:1] },
		"has two images for linux/amd64":           func(i *registry.Index) { i.Images[1].Platform = "linux/amd64" },
	} {
		i := made()
		i.Images[0].Labels = maps.Clone(i.Images[0].Labels)
		change(i)
		err := VerifyPushed(i, repository, name, source)
		require.ErrorContains(t, err, want)
		require.Contains(t, operr.NextOf(err), "docker:image app -push")
	}
	without := made()
	for n := range without.Images {
		without.Images[n].Attestations = without.Images[n].Attestations[:1]
	}
	require.NoError(t, VerifyPushed(without, repository, name, source), "an image without an SBOM on all platforms is accepted")
}
