package releasing

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/undo"
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

// By what it is known that nothing of a release is on the channel stands beside it.
func TestHowItIsKnownThatNothingWasUploaded(t *testing.T) {
	for name, c := range map[string]struct {
		unseen error
		absent bool
		says   string
	}{
		"the channel was seen": {says: "nothing of it is on https://prefix.dev/ours"},
		"it was not":           {unseen: errors.New("no credential"), says: "nothing of it was sent yet, as far as this clone and the CI know (what https://prefix.dev/ours has, nobody sees here: no credential)"},
		"it is not there":      {absent: true, says: "there is no channel https://prefix.dev/ours, for anyone or for who has the credential that is set here (a private one is not there for who is not a member of it)"},
	} {
		b := &undo.Back{Plan: &plan.Plan{Channel: "https://prefix.dev/ours"}, Unseen: c.unseen, Absent: c.absent}
		require.Equal(t, c.says, notUploaded(b), name)
	}
}

// What is released again is published by the same one, also where a flag had said who that is.
func TestTheSameReleaseAgain(t *testing.T) {
	for by, want := range map[string]string{"here": "mage release -to=minor -publish=here", "ci": "mage release -to=minor", "": "mage release -to=minor"} {
		p := &plan.Plan{Publish: by, Bump: &bump.Plan{Request: bump.Request{To: "minor"}}}
		require.Equal(t, want, again(p, "ci"))
	}
}
