package image

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// `made` returns the index that a registry would have after a successful build of a plan.
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
	require.NoError(t, p.checkParts(parts("linux/arm64", "linux/amd64")))
	require.NoError(t, p.checkParts([]*registry.Index{made(p)}))
	require.EqualError(t, p.checkParts(parts("linux/amd64")), "none of the digests is for linux/arm64; nothing was merged")
	require.EqualError(t, p.checkParts(parts("linux/amd64", "linux/arm64", "linux/amd64")), "two digests are for the same platform; nothing was merged")
	mixed := parts("linux/amd64", "linux/arm64")
	mixed[1].Images[0].Labels[labelRevision] = "cdef"
	require.EqualError(t, p.checkParts(mixed), "sha256:of-linux/arm64 was built from the commit cdef, but another image from the commit "+p.Revision+"; nothing was merged")
	both := slices.Concat(parts("linux/amd64", "linux/arm64"))
	for _, part := range both {
		part.Images[0].Labels[labelRevision] = "cdef"
	}
	require.ErrorContains(t, p.checkParts(both), `the label org.opencontainers.image.revision is "cdef"`, "both images are of one commit, but not of this commit")
}

func TestCompare(t *testing.T) {
	one := func(digest string, layers ...string) *registry.Index {
		return &registry.Index{Images: []registry.Image{{Platform: "linux/amd64", Digest: digest, Layers: layers}}}
	}
	said, err := compare(one("a", "1", "2"), one("a", "1", "2"))
	require.NoError(t, err)
	require.Equal(t, "linux/amd64 a", said)
	_, err = compare(one("a", "1", "2"), one("b", "1", "3"))
	require.EqualError(t, err, "the images for linux/amd64 differ: layer 2 of 2 is 2 in the registry, but a different layer here")
	_, err = compare(one("a", "1", "2"), one("b", "1"))
	require.ErrorContains(t, err, "layer 2 of 2")
	_, err = compare(one("a", "1"), one("b", "1"))
	require.EqualError(t, err, "the images for linux/amd64 have the same layers, but different configurations: a in the registry, b here")
	_, err = compare(one("a"), &registry.Index{})
	require.ErrorContains(t, err, "nothing was compared")
}
