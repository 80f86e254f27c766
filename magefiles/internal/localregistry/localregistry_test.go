package localregistry_test

import (
	"net/http"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

func TestARealClientPushesAndPulls(t *testing.T) {
	requests := 0
	s, err := localregistry.Start(t.TempDir()+"/blobs", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			next.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	ref, err := name.ParseReference(s.Host + "/some/image:1")
	require.NoError(t, err)
	img, err := random.Image(1<<10, 2)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img, remote.WithJobs(1)))
	back, err := remote.Image(ref)
	require.NoError(t, err)
	want, err := img.Digest()
	require.NoError(t, err)
	got, err := back.Digest()
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NotZero(t, requests)
	require.NoError(t, s.Close())
	_, err = remote.Image(ref)
	require.Error(t, err)
	require.NoError(t, (*localregistry.Server)(nil).Close())
}
