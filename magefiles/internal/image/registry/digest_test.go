package registry

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// Some registries omit the digest from the response to a HEAD request.
func TestDigestIfTheRegistryOmitsIt(t *testing.T) {
	s := imagetest.NewShop(t)
	repository := s.Host + "/someone/theapp"
	digest := s.Put(t, repository, labels, "linux/amd64")
	r := &Registry{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && r.Method == http.MethodHead {
			answer.Header.Del("Docker-Content-Digest")
		}
		return answer, err
	})}
	require.NoError(t, r.Tag(t.Context(), repository, digest, "x"))
	got, err := r.Digest(t.Context(), repository+":x")
	require.NoError(t, err)
	require.Equal(t, digest, got)
	_, err = r.Digest(t.Context(), repository+":none")
	require.ErrorIs(t, err, ErrNotFound)
}
