package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestReadableIsNamed has preflight and doctor name the credentials that code of the repository could still read, once, and nothing of them.
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
	out := r.ok("release", "-to=patch", "-yes")
	require.Regexp(t, `code that checks and builds run could read: ~/\.netrc, ~/\.npmrc, ~/\.config/gh/hosts\.yml`, out)
	require.NotContains(t, out, "canary-of-a-file")
	require.NotContains(t, out, ".kube")
	out = r.ok("doctor")
	require.Contains(t, out, "tasks and builds could read: ~/.netrc, ~/.npmrc, ~/.config/gh/hosts.yml")
	require.NotContains(t, out, "canary-of-a-file")
}
