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

// The delete command sends the key without passing it as an argument to any program.
func TestDeleteCommandHidesTheKey(t *testing.T) {
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

// The question also says why no package of the release can be on the channel.
func TestReasonWhyNothingWasUploaded(t *testing.T) {
	for name, c := range map[string]struct {
		unseen error
		absent bool
		says   string
	}{
		"the channel was seen": {says: "none of its packages is on https://prefix.dev/ours"},
		"it was not":           {unseen: errors.New("no credential"), says: "none of its packages was uploaded, according to this clone and the CI (the packages on https://prefix.dev/ours are not visible from here: no credential)"},
		"it is not there":      {absent: true, says: "the channel https://prefix.dev/ours does not exist, or is private and not visible with the credential that is set here"},
	} {
		b := &undo.Back{Plan: &plan.Plan{Channel: "https://prefix.dev/ours"}, Unseen: c.unseen, Absent: c.absent}
		require.Equal(t, c.says, notUploaded(b), name)
	}
}

// The next step after an undo releases the same package with the same ranges and publisher, even if that was chosen by a flag.
func TestNextStepRepeatsTheRelease(t *testing.T) {
	for want, p := range map[string]*plan.Plan{
		"mage release -to=minor -publish=here":            {Publish: "here", Bump: &bump.Plan{Request: bump.Request{To: "minor"}}},
		"mage release -to=minor":                          {Publish: "ci", Bump: &bump.Plan{Request: bump.Request{To: "minor"}}},
		"mage release -to=patch":                          {Bump: &bump.Plan{Request: bump.Request{To: "patch"}}},
		"mage release -to=minor -only=core -ranges=raise": {Bump: &bump.Plan{Request: bump.Request{To: "minor", Only: "core", Raise: true}}},
	} {
		require.Equal(t, "`"+want+"`", releaseCommand(p, p.Bump.Request, "ci"))
	}
	here := &plan.Plan{Publish: "here", Tags: []string{"v1.0"}, Bump: &bump.Plan{}}
	require.Equal(t, "`mage release -publish=here`", releaseCommand(here, here.Bump.Request, "ci"), "of versions that were there")
}
