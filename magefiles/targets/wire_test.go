package targets

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// The outputs of a GitHub job are written to the file that the runner names.
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

// The output of children with another temporary folder is watched like that of all other children.
func TestChildrenAreHeard(t *testing.T) {
	shown, err := os.Create(filepath.Join(t.TempDir(), "shown"))
	require.NoError(t, err)
	defer shown.Close()
	a := &pipeline{view: &view.View{Out: shown, Err: shown, Color: true, Width: func() int { return 60 }}}
	dir := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.Mkdir(dir, 0o755))
	inside := a.withTemporary(dir)
	require.NoError(t, a.view.Step("check", func() (string, error) {
		if err := inside.runner.Run(t.Context(), command.Cmd{Name: "sh", Args: []string{"-c", "echo said in $(basename $TMPDIR) >&2"}}); err != nil {
			return "", err
		}
		require.Eventually(t, func() bool {
			text, err := os.ReadFile(shown.Name())
			return err == nil && strings.Contains(string(text), "said in elsewhere")
		}, 20*time.Second, 10*time.Millisecond)
		return "", nil
	}))
}

// A request to a server that never answers fails after the time that PIPELINE_PATIENCE sets.
func TestTimeoutOfTheChannel(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // otherwise the server does not notice the end of the connection
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
	require.ErrorContains(t, err, "PIPELINE_PATIENCE=never is not a duration")
}
