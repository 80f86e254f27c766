package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestReadableIsNamed checks that preflight and doctor list each credential that code in the repository could still read, once and without its
// contents.
func TestReadableIsNamed(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, text := range map[string]string{
		".netrc": "machine x login me password canary-of-a-file", ".config/gh/hosts.yml": "oauth_token: canary-of-a-file", ".npmrc": "//x/:_authToken=canary-of-a-file", ".kube/config": "",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Setenv(r.env, "HOME="+home)
	const says = "checks and builds run could read"
	r.refuseUploads("mono-core")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	require.NotContains(t, r.ok("status"), says, "nothing is run")
	r.refuseUploads("")
	require.Equal(t, 1, strings.Count(r.ok("release", "-yes"), says), "when it is resumed")
	out := r.ok("release", "-to=patch", "-yes")
	require.Equal(t, 1, strings.Count(out, says))
	require.Contains(t, out, "Credentials on this machine:\n")
	require.Regexp(t, `code that checks and builds run could read: ~/\.netrc, ~/\.npmrc, ~/\.config/gh/hosts\.yml`, out)
	require.NotContains(t, out, "canary-of-a-file")
	require.NotContains(t, out, ".kube")
	out = r.ok("doctor")
	require.Contains(t, out, "tasks and builds could read: ~/.netrc, ~/.npmrc, ~/.config/gh/hosts.yml")
	require.NotContains(t, out, "canary-of-a-file")
}
