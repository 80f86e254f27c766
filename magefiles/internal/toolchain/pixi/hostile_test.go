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
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// TestHostileBackendsOfAnInstallation uses a fake pixi that records the environment of every call, which build backends see during an installation.
// The environment has only the credentials for fetching packages, those that packages list for their builds, and those that the workspace passes.
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
	p = p.Pass(&workspace.Workspace{Config: settings.Config{Pass: []string{"MY_TEST_TOKEN"}}, Packages: []*workspace.Package{pkg}})

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
	require.Equal(t, []string{"to-test", "/to/fetch"}, sees("install"), "nothing is built")
	require.Equal(t, []string{"to-test", "/to/fetch"}, sees("info"))

	// An upload key is withheld wherever something may be built, but not from a clean environment for published packages.
	kept := p.Keep("RATTLER_AUTH_FILE")
	require.NoError(t, kept.Lock(t.Context(), dir, false, io.Discard))
	require.Equal(t, []string{"to-test", "to-build"}, sees("lock"))
	require.NoError(t, kept.Run(t.Context(), toolchain.Task{Dir: t.TempDir(), Name: "test", Stdout: io.Discard, Stderr: io.Discard}))
	require.Equal(t, []string{"to-test", "to-build"}, sees("install"))
	_, err = kept.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "new"), Specs: []string{"a ==1.0"}})
	require.NoError(t, err)
	require.Equal(t, []string{"to-test", "/to/fetch"}, sees("install"))
}

// TestHostileBuildBackends checks the environment of each pixi call. A call that installs or locks also builds sources in the workspace. It gets
// the variables for fetching packages and those in `pass`. A task gets only those in `pass`. No call gets the variables for publishing.
func TestHostileBuildBackends(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi"), []byte(`#!/bin/sh
case "$1" in
--version) echo "pixi `+pixi.Version+`" ;;
task) echo '[{"environment": "default", "features": [{"tasks": [{"name": "qa"}]}]}]' ;;
info) echo '{"environments_info": [{"name": "default", "prefix": "`+dir+`"}]}' ;;
esac
env >> "$SEEN/$1"
`), 0o755))
	seen := t.TempDir()
	env := []string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "SEEN=" + seen, "PREFIX_API_KEY=canary-of-a-key", "GITHUB_TOKEN=canary-of-github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=canary-of-a-job",
		"SSH_AUTH_SOCK=/canary/of/an/agent", "RATTLER_AUTH_FILE=/fetching", "MY_TEST_TOKEN=passed",
	}
	p, err := pixi.Find(t.Context(), command.NewSystem(env, nil), env)
	require.NoError(t, err)
	p = p.Pass(&workspace.Workspace{Config: settings.Config{Pass: []string{"MY_TEST_TOKEN"}}})
	work := folder(t, demo)
	require.NoError(t, p.Run(t.Context(), toolchain.Task{Dir: work, Name: "qa"}))
	require.NoError(t, p.Lock(t.Context(), work, false, nil))
	_, err = p.Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "new"), Channels: []string{"x"}, Specs: []string{"core"}})
	require.NoError(t, err)
	for verb, fetches := range map[string]bool{"install": true, "lock": true, "task": true, "info": true, "run": false} {
		text, err := os.ReadFile(filepath.Join(seen, verb))
		require.NoError(t, err)
		require.NotContains(t, string(text), "canary", verb)
		require.Contains(t, string(text), "MY_TEST_TOKEN=passed", verb)
		if fetches {
			require.Contains(t, string(text), "RATTLER_AUTH_FILE=/fetching", verb)
		} else {
			require.NotContains(t, string(text), "RATTLER_AUTH_FILE", verb)
		}
	}
}
