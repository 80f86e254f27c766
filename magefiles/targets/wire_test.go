package targets

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
)

// Where Pythons are looked for follows uv's own variables and those of runners; pyenv has one place.
func TestPythonPlaces(t *testing.T) {
	for _, name := range []string{"XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR", "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"} {
		t.Setenv(name, "")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	plain := embedded.Places{
		UV: filepath.Join(home, ".local/share/uv/python"), Pyenv: filepath.Join(home, ".pyenv/versions"), Tools: []string{"", ""},
	}
	require.Equal(t, plain, pythonPlaces())
	t.Setenv("XDG_DATA_HOME", "/data")
	t.Setenv("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache")
	require.Equal(t, embedded.Places{UV: "/data/uv/python", Pyenv: plain.Pyenv, Tools: []string{"/opt/hostedtoolcache", ""}}, pythonPlaces())
	t.Setenv("UV_PYTHON_INSTALL_DIR", "/pythons")
	require.Equal(t, "/pythons", pythonPlaces().UV)
	t.Setenv("HOME", "")
	require.Empty(t, pythonPlaces().Pyenv)
}

// TestHostileVariables refuses what a program would take for an option, in every variable that names something.
func TestHostileVariables(t *testing.T) {
	for name, value := range map[string]string{
		"BUILDX_BUILDER": "--allow=security.insecure", "PREFIX_CHANNEL": "-c", "DOCKER_HOST": "-oProxyCommand=x", "IMAGE_REGISTRY": "--push", "GITHUB_REF_NAME": "-v1", "PIXI_IMAGE": "-",
	} {
		err := noOptions(func(asked string) string { return map[string]string{name: value}[asked] })
		require.ErrorContains(t, err, name+` cannot be "`+value+`"`)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	require.NoError(t, noOptions(func(string) string { return "a-b" }))
}
