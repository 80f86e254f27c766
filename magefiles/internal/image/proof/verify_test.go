package proof

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

func TestVerify(t *testing.T) {
	const revision, version = "org.opencontainers.image.revision", "org.opencontainers.image.version"
	w := Wanted{
		Repository: "ghcr.io/someone/theapp",
		Platforms:  []string{"linux/amd64", "linux/arm64"},
		Labels:     []Label{{Name: revision, Value: "abab"}, {Name: version, Value: "1.2.3"}, {Name: "not.looked.for"}},
		Settings:   Label{Name: "plan", Value: "p"},
		SBOM:       true,
	}
	made := func() *registry.Index {
		i := &registry.Index{Digest: "sha256:index"}
		for _, platform := range w.Platforms {
			i.Images = append(i.Images, registry.Image{
				Platform:     platform,
				Digest:       "sha256:" + platform,
				Labels:       map[string]string{revision: "abab", version: "1.2.3", "plan": "p", "not.looked.for": "x"},
				Attestations: []string{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document"},
			})
		}
		return i
	}
	require.NoError(t, Verify(made(), "sha256:index", w))
	const at = "ghcr.io/someone/theapp@sha256:index"
	for _, c := range []struct {
		change func(i *registry.Index)
		err    string
	}{
		{func(i *registry.Index) { i.Digest = "sha256:other" }, "the builder reported sha256:index, and what is there is sha256:other"},
		{func(i *registry.Index) { i.Images = i.Images[:1] }, at + " has no image for linux/arm64"},
		{func(i *registry.Index) { i.Images = nil }, at + " has no image for linux/amd64"},
		{func(i *registry.Index) { i.Images[1].Platform = "linux/amd64" }, at + " has linux/amd64 twice"},
		{func(i *registry.Index) { i.Images[1].Platform = "linux/386" }, at + " has linux/386, which was not asked for"},
		{func(i *registry.Index) { i.Images[1].Labels[revision] = "0000" }, at + `, linux/arm64: its label org.opencontainers.image.revision is "0000", and "abab" was built`},
		{func(i *registry.Index) { delete(i.Images[0].Labels, version) }, at + `, linux/amd64: its label org.opencontainers.image.version is "", and "1.2.3" was built`},
		{func(i *registry.Index) { i.Images[0].Labels["plan"] = "x" }, at + `, linux/amd64: it was built with other settings, such as PIXI_IMAGE: docker:plan prints ours`},
		{func(i *registry.Index) { i.Images[1].Attestations = nil }, at + ", linux/arm64: it has no provenance"},
		{func(i *registry.Index) { i.Images[1].Attestations = i.Images[1].Attestations[:1] }, at + ", linux/arm64: it has no SBOM"},
	} {
		i := made()
		c.change(i)
		require.EqualError(t, Verify(i, "sha256:index", w), c.err)
	}
}
