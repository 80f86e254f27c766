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
		{func(i *registry.Index) { i.Digest = "sha256:other" }, "the builder reported sha256:index, but the registry has sha256:other"},
		{func(i *registry.Index) { i.Images = i.Images[:1] }, at + " has no image for linux/arm64"},
		{func(i *registry.Index) { i.Images = nil }, at + " has no image for linux/amd64"},
		{func(i *registry.Index) { i.Images[1].Platform = "linux/amd64" }, at + " has two images for linux/amd64"},
		{func(i *registry.Index) { i.Images[1].Platform = "linux/386" }, at + " has an image for linux/386, which was not requested"},
		{func(i *registry.Index) { i.Images[1].Labels[revision] = "0000" }, at + `, linux/arm64: the label org.opencontainers.image.revision is "0000", but the build set "abab"`},
		{func(i *registry.Index) { delete(i.Images[0].Labels, version) }, at + `, linux/amd64: the label org.opencontainers.image.version is "", but the build set "1.2.3"`},
		{func(i *registry.Index) { i.Images[0].Labels["plan"] = "x" }, at + ", linux/amd64: the image was built with different settings, for example another PIXI_IMAGE; `mage docker:plan` prints the settings of this build"},
		{func(i *registry.Index) { i.Images[1].Attestations = nil }, at + ", linux/arm64: the image has no provenance"},
		{func(i *registry.Index) { i.Images[1].Attestations = i.Images[1].Attestations[:1] }, at + ", linux/arm64: the image has no SBOM"},
	} {
		i := made()
		c.change(i)
		require.EqualError(t, Verify(i, "sha256:index", w), c.err)
	}
}
