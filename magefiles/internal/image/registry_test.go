package image

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// shop is a registry over HTTP whose answers can be made to fail.
type shop struct {
	mu     sync.Mutex
	status func(r *http.Request) int // 0 leaves the answer to the registry
	code   string                    // of distribution-spec; "" is none of its
	host   string
}

func newShop(t *testing.T) *shop {
	s := &shop{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		status, word := s.status, cmp.Or(s.code, "MADE")
		s.mu.Unlock()
		if status != nil {
			if code := status(r); code != 0 {
				http.Error(w, `{"errors":[{"code":"`+word+`","message":"made to fail"}]}`, code)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// put pushes an image for platforms by digest, labeled as a plan wants it.
func (s *shop) put(t *testing.T, repository string, p *Plan, platforms ...string) (digest string) {
	t.Helper()
	index := v1.ImageIndex(mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json"))
	index = mutate.Annotations(index, map[string]string{"k": "v"}).(v1.ImageIndex)
	for _, platform := range platforms {
		img, err := random.Image(64, 2)
		require.NoError(t, err)
		os, arch, _ := strings.Cut(platform, "/")
		c, err := img.ConfigFile()
		require.NoError(t, err)
		c.OS, c.Architecture, c.Config.Labels, c.Config.Entrypoint = os, arch, p.Labels, []string{"/entry"}
		img, err = mutate.ConfigFile(img, c)
		require.NoError(t, err)
		sum, err := img.Digest()
		require.NoError(t, err)
		attestation, err := random.Image(64, 1)
		require.NoError(t, err)
		layers, err := attestation.Layers()
		require.NoError(t, err)
		attestation, err = mutate.Append(empty.Image, mutate.Addendum{Layer: layers[0], Annotations: map[string]string{predicateType: provenance + "v1"}})
		require.NoError(t, err)
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch, Variant: map[string]string{"arm64": "v8"}[arch]}}},
			mutate.IndexAddendum{
				Add: attestation,
				Descriptor: v1.Descriptor{
					Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
					Annotations: map[string]string{referenceType: attestationType, referenceDigest: sum.String()},
				},
			})
	}
	sum, err := index.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(repository + "@" + sum.String())
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index))
	return sum.String()
}

func TestRegistry(t *testing.T) {
	s := newShop(t)
	r := &Registry{}
	q := request(t)
	q.Registry, q.SBOM = s.host+"/someone", ""
	p, err := New(q)
	require.NoError(t, err)

	tags, err := r.Tags(t.Context(), p.Repository)
	require.NoError(t, err, "a repository that is not there yet has no tags")
	require.Empty(t, tags)
	_, err = r.Read(t.Context(), p.Repository+":latest")
	require.ErrorIs(t, err, ErrNotFound)

	digest := s.put(t, p.Repository, p, "linux/amd64", "linux/arm64")
	i, err := r.Read(t.Context(), p.Repository+"@"+digest)
	require.NoError(t, err)
	require.NoError(t, p.Verify(i, digest))
	require.Equal(t, map[string]string{"k": "v"}, i.Annotations)
	require.Equal(t, "linux/arm64", i.Images[1].Platform)
	require.Equal(t, []string{"/entry"}, i.Images[0].Entrypoint)
	require.Len(t, i.Images[0].Layers, 2)

	require.NoError(t, r.Tag(t.Context(), p.Repository, digest, "1.2.3"))
	tagged, err := r.Read(t.Context(), p.Repository+":1.2.3")
	require.NoError(t, err)
	require.Equal(t, digest, tagged.Digest, "the same manifest, byte for byte")
	held, err := r.Held(t.Context(), p.Repository, []string{"1.2.3", "latest", "gone"}, []string{"1.2.3", "gone"})
	require.NoError(t, err)
	require.Equal(t, map[string]Held{"1.2.3": {Version: "1.2.3", Revision: q.Revision, Digest: digest}}, held)
	require.NoError(t, r.Has(t.Context(), p.Repository+":1.2.3"))
	require.ErrorIs(t, r.Has(t.Context(), p.Repository+":none"), ErrNotFound)

	one, two := s.put(t, p.Repository, p, "linux/amd64"), s.put(t, p.Repository, p, "linux/arm64")
	joined, err := r.Join(t.Context(), p.Repository, []string{one, two})
	require.NoError(t, err)
	i, err = r.Read(t.Context(), p.Repository+"@"+joined)
	require.NoError(t, err)
	require.NoError(t, p.Verify(i, joined), "attestations come along")
	require.Equal(t, map[string]string{"k": "v"}, i.Annotations)
}

// What names nothing, and what is not there, each say what to do.
func TestNames(t *testing.T) {
	s := newShop(t)
	r := &Registry{}
	repository := s.host + "/someone/theapp"
	for _, digest := range []string{"foo", "sha256:short", ""} {
		_, read := r.Read(t.Context(), repository+"@"+digest)
		_, joined := r.Join(t.Context(), repository, []string{digest})
		for _, err := range []error{read, joined, r.Tag(t.Context(), repository, digest, "x"), r.Has(t.Context(), repository+"@"+digest)} {
			require.EqualError(t, err, fmt.Sprintf("%q is no digest", digest))
			require.Equal(t, operr.Usage, operr.ExitStatus(err))
			require.Contains(t, fmt.Sprintf("%+v", err), "→ name digests as `docker:image -platform=… -push` reports them: sha256: and 64 digits")
		}
	}
	require.ErrorContains(t, r.Has(t.Context(), "A Name"), `"A Name" cannot be the name of an image`)

	nobody := "sha256:" + strings.Repeat("0", 64)
	_, read := r.Read(t.Context(), repository+"@"+nobody)
	_, joined := r.Join(t.Context(), repository, []string{nobody})
	for _, err := range []error{read, joined, r.Tag(t.Context(), repository, nobody, "x")} {
		require.ErrorIs(t, err, ErrNotFound)
		require.EqualError(t, err, "reading "+repository+"@"+nobody+": not there")
		require.Contains(t, fmt.Sprintf("%+v", err), "→ correct its name, or push it there first")
	}
}

// A registry that refuses, is busy, or fails: each a sentence with what to do.
func TestRegistryTrouble(t *testing.T) {
	s := newShop(t)
	r := &Registry{}
	p, err := New(request(t))
	require.NoError(t, err)
	repository := s.host + "/someone/theapp"
	digest := s.put(t, repository, p, "linux/amd64")
	for status, says := range map[int]string{
		401: "the registry refuses it (401)", 403: "the registry refuses it (403)", 429: "the registry allows no more requests for now (429)", 501: "the registry failed (501)",
	} {
		s.status = func(*http.Request) int { return status }
		_, err := r.Tags(t.Context(), repository)
		require.ErrorContains(t, err, says)
		if status == 429 {
			continue // it is asked again with pauses each time
		}
		_, err = r.Read(t.Context(), repository+"@"+digest)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, r.Tag(t.Context(), repository, digest, "x"), says)
	}
	s.status = func(q *http.Request) int {
		if q.Method == http.MethodPut {
			return 403
		}
		return 0
	}
	require.ErrorContains(t, r.Tag(t.Context(), repository, digest, "x"), "tagging "+repository+"@"+digest+" as x: the registry refuses it (403)")
	s.status = nil
	tags, err := r.Tags(t.Context(), repository)
	require.NoError(t, err)
	require.Empty(t, tags)
	_, err = (&Registry{}).Tags(t.Context(), "127.0.0.1:1/nobody/there")
	require.ErrorContains(t, err, "asking for the tags of 127.0.0.1:1/nobody/there")
}
