package registry

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// labels are the labels of the test images.
var labels = map[string]string{"org.opencontainers.image.version": "1.2.3"}

func TestRegistry(t *testing.T) {
	s := imagetest.NewShop(t)
	r := &Registry{}
	repository := s.Host + "/someone/theapp"

	tags, err := r.Tags(t.Context(), repository)
	require.NoError(t, err, "a repository that does not exist yet has no tags")
	require.Empty(t, tags)
	_, err = r.Read(t.Context(), repository+":latest")
	require.ErrorIs(t, err, ErrNotFound)

	digest := s.Put(t, repository, labels, "linux/amd64", "linux/arm64")
	i, err := r.Read(t.Context(), repository+"@"+digest)
	require.NoError(t, err)
	require.Equal(t, digest, i.Digest)
	isWhole(t, i)
	require.Equal(t, []string{"/entry"}, i.Images[0].Entrypoint)
	require.Len(t, i.Images[0].Layers, 2)

	require.NoError(t, r.Tag(t.Context(), repository, digest, "1.2.3"))
	tagged, err := r.Read(t.Context(), repository+":1.2.3")
	require.NoError(t, err)
	require.Equal(t, digest, tagged.Digest, "the same manifest, byte for byte")
	for range 2 {
		is, has, err := r.Labels(t.Context(), repository, "1.2.3")
		require.NoError(t, err)
		require.Equal(t, digest, is)
		require.Equal(t, labels, has)
	}
	_, _, err = r.Labels(t.Context(), repository, "gone")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, r.Has(t.Context(), repository+":1.2.3"))
	require.ErrorIs(t, r.Has(t.Context(), repository+":none"), ErrNotFound)

	one, two := s.Put(t, repository, labels, "linux/amd64"), s.Put(t, repository, labels, "linux/arm64")
	joined, err := r.Join(t.Context(), repository, []string{one, two})
	require.NoError(t, err)
	i, err = r.Read(t.Context(), repository+"@"+joined)
	require.NoError(t, err)
	require.Equal(t, joined, i.Digest)
	isWhole(t, i)
}

// isWhole checks that an index has images of both platforms, with their attestations.
func isWhole(t *testing.T, i *Index) {
	t.Helper()
	require.Equal(t, map[string]string{"k": "v"}, i.Annotations)
	require.Len(t, i.Images, 2)
	for n, platform := range []string{"linux/amd64", "linux/arm64"} {
		require.Equal(t, platform, i.Images[n].Platform)
		require.Equal(t, labels, i.Images[n].Labels)
		require.Equal(t, []string{Provenance + "v1"}, i.Images[n].Attestations, "attestations are copied, too")
	}
}

// References that are misspelled or do not exist lead to errors with next steps.
func TestNames(t *testing.T) {
	s := imagetest.NewShop(t)
	r := &Registry{}
	repository := s.Host + "/someone/theapp"
	for _, digest := range []string{"foo", "sha256:short", ""} {
		_, read := r.Read(t.Context(), repository+"@"+digest)
		_, joined := r.Join(t.Context(), repository, []string{digest})
		for _, err := range []error{read, joined, r.Tag(t.Context(), repository, digest, "x"), r.Has(t.Context(), repository+"@"+digest)} {
			require.EqualError(t, err, fmt.Sprintf("%q is not a digest", digest))
			require.Equal(t, operr.Usage, operr.ExitStatus(err))
			require.Contains(t, fmt.Sprintf("%+v", err), "→ write each digest as `mage docker:image -platform=… -push` prints it: `sha256:` and 64 hexadecimal digits")
		}
	}
	require.ErrorContains(t, r.Has(t.Context(), "A Name"), `"A Name" cannot be the name of an image`)

	nobody := "sha256:" + strings.Repeat("0", 64)
	_, read := r.Read(t.Context(), repository+"@"+nobody)
	_, joined := r.Join(t.Context(), repository, []string{nobody})
	for _, err := range []error{read, joined, r.Tag(t.Context(), repository, nobody, "x")} {
		require.ErrorIs(t, err, ErrNotFound)
		require.EqualError(t, err, "reading "+repository+"@"+nobody+": not there")
		require.Contains(t, fmt.Sprintf("%+v", err), "→ correct the name of the image, or push the image first")
	}
}

// Registries that refuse, are busy, or fail lead to errors with next steps.
func TestRegistryTrouble(t *testing.T) {
	s := imagetest.NewShop(t)
	r := &Registry{}
	repository := s.Host + "/someone/theapp"
	digest := s.Put(t, repository, labels, "linux/amd64")
	for status, says := range map[int]string{
		401: "the registry refused the request (401)", 403: "the registry refused the request (403)", 429: "the registry received too many requests (429)", 501: "the registry failed (501)",
	} {
		s.Status = func(*http.Request) int { return status }
		_, err := r.Tags(t.Context(), repository)
		require.ErrorContains(t, err, says)
		if status == 429 {
			continue // each request would be retried, with pauses
		}
		_, err = r.Read(t.Context(), repository+"@"+digest)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, r.Tag(t.Context(), repository, digest, "x"), says)
	}
	s.Status = func(q *http.Request) int {
		if q.Method == http.MethodPut {
			return 403
		}
		return 0
	}
	require.ErrorContains(t, r.Tag(t.Context(), repository, digest, "x"), "tagging "+repository+"@"+digest+" as x: the registry refused the request (403)")
	s.Status = nil
	tags, err := r.Tags(t.Context(), repository)
	require.NoError(t, err)
	require.Empty(t, tags)
	_, err = (&Registry{}).Tags(t.Context(), "127.0.0.1:1/nobody/there")
	require.ErrorContains(t, err, "asking for the tags of 127.0.0.1:1/nobody/there")
}
