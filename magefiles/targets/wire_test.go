package targets

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// A server that takes a question and never answers is given up when the environment says so.
func TestPatienceOfTheChannel(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
		<-r.Context().Done()
	}))
	defer silent.Close()
	t.Setenv("PIPELINE_PATIENCE", "100ms")
	client, err := openChannels(silent.URL)
	require.NoError(t, err)
	_, err = client.Login(t.Context(), "a-long-enough-token")
	require.ErrorIs(t, err, httpclient.ErrStalled)
	t.Setenv("PIPELINE_PATIENCE", "never")
	_, err = openChannels(silent.URL)
	require.ErrorContains(t, err, "PIPELINE_PATIENCE=never is no duration")
}
