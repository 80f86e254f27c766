package targets

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// What a job of GitHub's hands on is in the file that its runner names.
func TestOutputsOfAJob(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outputs")
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_OUTPUT", file)
	a := &pipeline{channels: newChannels()}
	set, err := a.imageEnvironment(aWorkspace(t, `"https://prefix.dev/ours"`))
	require.NoError(t, err)
	require.NoError(t, set.HandOn("digest", "sha256:1"))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "digest=sha256:1\n", string(text))
}

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
