package pixi_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
)

// TestHostileBuildBackends looks at what each pixi is given. One that installs or locks builds what lies in the workspace: it has what packages
// are fetched by, and what pass names; the task has the latter alone. Nobody has what publishes.
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
	p = p.Pass([]string{"MY_TEST_TOKEN"})
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
