package image

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// made is what a registry holds of a plan, when all is well.
func made(p *Plan) *registry.Index {
	i := &registry.Index{Digest: "sha256:index"}
	for _, platform := range p.Platforms {
		i.Images = append(i.Images, registry.Image{
			Platform:     platform,
			Digest:       "sha256:" + platform,
			Labels:       maps.Clone(p.Labels),
			Attestations: []string{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document"},
		})
	}
	return i
}

func TestVerify(t *testing.T) {
	p, err := New(request(t))
	require.NoError(t, err)
	require.NoError(t, p.Verify(made(p), "sha256:index"))
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
		{func(i *registry.Index) { i.Images[1].Labels[labelRevision] = "0000" }, at + `, linux/arm64: its label org.opencontainers.image.revision is "0000", and "` + p.Revision + `" was built`},
		{func(i *registry.Index) { delete(i.Images[0].Labels, labelVersion) }, at + `, linux/amd64: its label org.opencontainers.image.version is "", and "1.2.3" was built`},
		{func(i *registry.Index) { i.Images[0].Labels[labelPlan] = "x" }, at + `, linux/amd64: it was built with other settings, such as PIXI_IMAGE: docker:plan prints ours`},
		{func(i *registry.Index) { i.Images[1].Attestations = nil }, at + ", linux/arm64: it has no provenance"},
		{func(i *registry.Index) { i.Images[1].Attestations = i.Images[1].Attestations[:1] }, at + ", linux/arm64: it has no SBOM"},
	} {
		i := made(p)
		c.change(i)
		require.EqualError(t, p.Verify(i, "sha256:index"), c.err)
	}
}

func TestMergeable(t *testing.T) {
	p, err := New(request(t))
	require.NoError(t, err)
	parts := func(platforms ...string) (all []*registry.Index) {
		for _, platform := range platforms {
			one := *p
			one.Platforms = []string{platform}
			i := made(&one)
			i.Digest = "sha256:of-" + platform
			all = append(all, i)
		}
		return all
	}
	require.NoError(t, p.Mergeable(parts("linux/arm64", "linux/amd64")))
	require.NoError(t, p.Mergeable([]*registry.Index{made(p)}))
	require.EqualError(t, p.Mergeable(parts("linux/amd64")), "no digest is for linux/arm64: nothing was merged")
	require.EqualError(t, p.Mergeable(parts("linux/amd64", "linux/arm64", "linux/amd64")), "two digests are for one platform: nothing was merged")
	mixed := parts("linux/amd64", "linux/arm64")
	mixed[1].Images[0].Labels[labelRevision] = "cdef"
	require.EqualError(t, p.Mergeable(mixed), "sha256:of-linux/arm64 was built from cdef, and another one from "+p.Revision+": nothing was merged")
	both := slices.Concat(parts("linux/amd64", "linux/arm64"))
	for _, part := range both {
		part.Images[0].Labels[labelRevision] = "cdef"
	}
	require.ErrorContains(t, p.Mergeable(both), `its label org.opencontainers.image.revision is "cdef"`, "they are of one commit, but not of this one")
}

func TestCompare(t *testing.T) {
	one := func(digest string, layers ...string) *registry.Index {
		return &registry.Index{Images: []registry.Image{{Platform: "linux/amd64", Digest: digest, Layers: layers}}}
	}
	said, err := compare(one("a", "1", "2"), one("a", "1", "2"))
	require.NoError(t, err)
	require.Equal(t, "linux/amd64 a", said)
	_, err = compare(one("a", "1", "2"), one("b", "1", "3"))
	require.EqualError(t, err, "the image for linux/amd64 is not the same: its layer 2 of 2 is 2 in the registry, and another one here")
	_, err = compare(one("a", "1", "2"), one("b", "1"))
	require.ErrorContains(t, err, "its layer 2 of 2")
	_, err = compare(one("a", "1"), one("b", "1"))
	require.EqualError(t, err, "the image for linux/amd64 has the same layers, but is configured in another way: a in the registry, b here")
	_, err = compare(one("a"), &registry.Index{})
	require.ErrorContains(t, err, "there is nothing to compare")
}
