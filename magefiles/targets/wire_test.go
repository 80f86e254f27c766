package targets

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Where Pythons are looked for follows uv's own variables and those of runners; pyenv has one place.
func TestPythonPlaces(t *testing.T) {
	for _, name := range []string{"XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR", "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"} {
		t.Setenv(name, "")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	plain := pythons.Places{
		UV:    filepath.Join(home, ".local/share/uv/python"),
		Pyenv: filepath.Join(home, ".pyenv/versions"),
		Tools: []string{"", ""},
	}
	require.Equal(t, plain, pythonPlaces())
	t.Setenv("XDG_DATA_HOME", "/data")
	t.Setenv("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache")
	require.Equal(t, pythons.Places{UV: "/data/uv/python", Pyenv: plain.Pyenv, Tools: []string{"/opt/hostedtoolcache", ""}}, pythonPlaces())
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

// A terminal that has no escape sequences, or a person who wants none, gets none.
func TestColours(t *testing.T) {
	for want, all := range map[bool][]map[string]string{
		true:  {{"TERM": "xterm-256color"}, {"TERM": "screen"}, {}, {"CI": ""}},
		false: {{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": ""}, {"NO_COLOR": "1"}, {"CI": "true", "TERM": "xterm"}},
	} {
		for _, env := range all {
			require.Equal(t, want, colors(func(name string) (string, bool) { v, set := env[name]; return v, set }), "%v", env)
		}
	}
}

// What is printed by us hides the credentials, and what a program reads of us does not.
func TestPeopleAreShownNoSecret(t *testing.T) {
	t.Setenv("PREFIX_API_KEY", "release-candidate")
	require.Equal(t, "the branch *** is there", plain(errors.New("the branch release-candidate is there")).Error())
	for name, err := range map[string]error{
		"as it is": operr.NewUsage("see release-candidate", "x").WithDetail("of release-candidate"),
		"wrapped":  fmt.Errorf("x: %w", operr.NewUsage("see release-candidate", "y").WithDetail("of release-candidate")),
		"within":   operr.New("see release-candidate", "x: %w", operr.NewUsage("", "y").WithDetail("of release-candidate")),
		"a cure":   operr.NewUsage("else", "x: %w", operr.Cured("see release-candidate", errors.New("y"))).WithDetail("of release-candidate"),
		"a cure, deep": fmt.Errorf("z: %w", fmt.Errorf("y: %w", operr.Cured("see release-candidate",
			operr.NewUsage("else", "x").WithDetail("of release-candidate")))),
	} {
		require.Contains(t, fmt.Sprintf("%+v", plain(err)), "of ***\n→ see ***", name)
		require.Equal(t, operr.ExitStatus(err), plain(err).ExitStatus(), name)
	}
	var out bytes.Buffer
	v := view.View{Out: command.Mask(&out, secrets()...), Err: command.Mask(&out, secrets()...)}
	v.Say("on %s", "release-candidate")
	v.Table([]string{"A"}, [][]string{{"release-candidate"}})
	require.Equal(t, "on ***\nA\n***\n", out.String())
	out.Reset()
	require.NoError(t, v.JSON("release-candidate"))
	require.Equal(t, "\"release-candidate\"\n", out.String())
}
