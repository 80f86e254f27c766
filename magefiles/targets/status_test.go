package targets

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The command that undo shows sends the key, and no program has it among its arguments.
func TestTheDeleteCommandKeepsTheKeyToItself(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI has curl: %v", err)
		t.Skip("install curl: the command that is shown uses it")
	}
	for _, key := range []string{"pfx_secret", `pfx_%s"'\n$HOME`, "pfx_" + strings.Repeat("x", 200)} {
		var got, method, path string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, method, path = r.Header.Get("Authorization"), r.Method, r.URL.Path
		}))
		defer server.Close()
		command := deleteCommand(server.URL + "/api/v1/delete/ours/noarch/a-1-0.conda")
		require.NotContains(t, strings.Split(command, "|")[1], "KEY")
		x := exec.Command("sh", "-c", command)
		x.Env = append(x.Environ(), "PREFIX_API_KEY="+key, "no_proxy=127.0.0.1")
		out, err := x.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, "Bearer "+key, got)
		require.Equal(t, http.MethodDelete, method)
		require.Equal(t, "/api/v1/delete/ours/noarch/a-1-0.conda", path)
	}
}
