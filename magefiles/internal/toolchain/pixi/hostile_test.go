package pixi_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestHostileBackendsOfAnInstallation has pixi write down what it sees, whatever it is asked for: the build backends of packages that an
// installation builds see the same. That is what fetches packages, what the packages name for their builds, and nothing else.
func TestHostileBackendsOfAnInstallation(t *testing.T) {
	dir, seen := t.TempDir(), t.TempDir()
	script := `#!/bin/sh
env > '` + seen + `'/"$1"
case "$1" in
--version) echo "pixi ` + pixi.Version + `" ;;
task) echo '[{"environment": "default", "features": [{"tasks": [{"name": "test"}]}]}]' ;;
info) echo '{"environments_info": [{"name": "default", "prefix": "/nowhere"}]}' ;;
esac
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi"), []byte(script), 0o755))
	env := command.Setenv(os.Environ(), "PATH="+dir+":/usr/bin:/bin", "PREFIX_API_KEY=secret-of-prefix", "GITHUB_TOKEN=secret-of-github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=secret-of-a-job",
		"SSH_AUTH_SOCK=/secret-of-an-agent", "RATTLER_AUTH_FILE=/to/fetch", "MY_TEST_TOKEN=to-test", "MY_BUILD_TOKEN=to-build")
	p, err := pixi.Find(t.Context(), command.NewSystem(env, nil), env)
	require.NoError(t, err)
	pkg := &workspace.Package{Name: "a"}
	pkg.Build.Secrets = []string{"MY_BUILD_TOKEN"}
	p = p.Pass(&workspace.Workspace{Config: workspace.Config{Pass: []string{"MY_TEST_TOKEN"}}, Packages: []*workspace.Package{pkg}})

	require.NoError(t, p.Run(t.Context(), toolchain.Task{Dir: t.TempDir(), Name: "test", Stdout: io.Discard, Stderr: io.Discard}))
	require.NoError(t, p.Lock(t.Context(), dir, false, io.Discard))
	sees := func(verb string) (values []string) {
		text, err := os.ReadFile(filepath.Join(seen, verb))
		require.NoError(t, err, "%s was not called", verb)
		require.NotContains(t, string(text), "secret-of-", verb)
		for _, value := range []string{"to-test", "to-build", "/to/fetch"} {
			if strings.Contains(string(text), "="+value+"\n") {
				values = append(values, value)
			}
		}
		return values
	}
	all := []string{"to-test", "to-build", "/to/fetch"}
	require.Empty(t, sees("--version"))
	require.Equal(t, all, sees("task"))
	require.Equal(t, all, sees("install"))
	require.Equal(t, all, sees("lock"))
	require.Equal(t, []string{"to-test"}, sees("run"))

	require.NoError(t, os.Remove(filepath.Join(seen, "install")))
	_, err = p.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "new"), Specs: []string{"a ==1.0"}})
	require.NoError(t, err)
	require.Equal(t, all, sees("install"))
	require.Equal(t, all, sees("info"))
}
