package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// hostile simulates an attacker with write access to the registry, who pushes an image with our labels and attestations under our tags. The image is
// used neither by the clone that built the commit nor by a clone that did not, such as a CI job.
func (w *imaging) hostile(t *testing.T) {
	w.note("fix: whom to trust")
	ours := w.result("docker:image", "small", "-push", "-yes")
	tags := w.smallTags()
	planted := w.plant(t, ours.Digest, tags)
	require.NotEqual(t, ours.Digest, planted)

	r := w.result("docker:image", "small", "-push", "-yes")
	require.True(t, r.Reused)
	require.Equal(t, ours.Digest, r.Digest)
	for _, tag := range tags {
		require.Equal(t, ours.Digest, w.tags()[tag], tag)
	}

	w.plant(t, ours.Digest, tags)
	require.NoError(t, os.RemoveAll(filepath.Join(w.root, ".git", "pixi-release", "images")))
	r = w.result("docker:image", "small", "-push", "-yes")
	require.False(t, r.Reused, "no record here says that the image is ours")
	require.NotEqual(t, planted, r.Digest)
	for _, tag := range tags {
		require.Equal(t, r.Digest, w.tags()[tag], tag)
	}
	for n, one := range r.Images {
		require.Equal(t, ours.Images[n].Layers, one.Layers, "the files are the result of the sources")
	}
}

// plant pushes an image that differs from the one with the digest only by an additional layer, and tags it.
func (w *imaging) plant(t *testing.T, digest string, tags []string) (planted string) {
	t.Helper()
	repository, err := name.NewRepository(w.Registry + "/someone/small")
	require.NoError(t, err)
	index, err := remote.Index(repository.Digest(digest))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	other := mutate.Annotations(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), manifest.Annotations).(v1.ImageIndex)
	moved := map[string]string{}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		require.NoError(t, err)
		const about = "vnd.docker.reference.digest"
		if was := d.Annotations[about]; was != "" {
			d.Annotations[about] = moved[was]
		} else {
			img, err = mutate.AppendLayers(img, static.NewLayer([]byte("planted"), types.OCILayer))
			require.NoError(t, err)
			sum, err := img.Digest()
			require.NoError(t, err)
			moved[d.Digest.String()] = sum.String()
		}
		other = mutate.AppendManifests(other, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: d.Platform, Annotations: d.Annotations}})
	}
	sum, err := other.Digest()
	require.NoError(t, err)
	for _, tag := range tags {
		_, plain, _ := strings.Cut(tag, ":")
		require.NoError(t, remote.WriteIndex(repository.Tag(plain), other))
	}
	return sum.String()
}
