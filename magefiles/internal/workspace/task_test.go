package workspace

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

func TestTasks(t *testing.T) {
	m := load(t, `
-- pixi.toml --
[workspace]
name = "w"
[tasks]
plain = "echo $HOME && exit 3"
words = { cmd = ["echo", "a b", "$HOME", "x[1]", "", 'q"\'] }
full = { cmd = "x", cwd = "sub", env = { B = "1", A = "$B-2" }, inputs = ["in"], outputs = ["out"], description = "says", default-environment = "e", clean-env = true }
args = { cmd = "echo {{ a }} {{ b }}", args = ["a", { arg = "b", default = "x", choices = ["x", "y"] }] }
none = { cmd = "x", args = [] }
alias = { depends-on = ["plain", { task = "args", args = ["1", { b = "y" }], environment = "e" }] }
one = { cmd = "x", depends_on = "plain" }
short = [{ task = "plain" }, { task = "words", environment = "e" }]
[environments]
e = []
`).Manifest
	task := func(name string) *manifest.Task {
		task, _, err := m.Task(name, "default", "")
		require.NoError(t, err)
		return task
	}
	require.Equal(t, "echo $HOME && exit 3", task("plain").Cmd)
	require.Equal(t, manifest.Pos{File: "pixi.toml", Line: 4, Col: 1}, task("plain").Pos)
	require.Nil(t, task("plain").Args)
	require.Equal(t, `echo "a b" $HOME "x[1]" "" q"\`, task("words").Cmd)
	require.Equal(t, []string{"echo", "a b", "$HOME", "x[1]", "", `q"\`}, task("words").Words)

	full := task("full")
	require.Equal(t, []manifest.KeyValue{{Key: "B", Value: "1"}, {Key: "A", Value: "$B-2"}}, full.Env)
	require.Equal(t, []string{"sub", "says", "e"}, []string{full.Cwd, full.Description, full.Environment})
	require.Equal(t, [][]string{{"in"}, {"out"}}, [][]string{full.Inputs, full.Outputs})
	require.True(t, full.CleanEnv)

	require.Equal(t, []manifest.TaskArg{{Name: "a"}, {Name: "b", Default: "x", HasDefault: true, Choices: []string{"x", "y"}}}, task("args").Args)
	require.NotNil(t, task("none").Args)

	alias := task("alias")
	require.True(t, alias.Alias)
	require.Empty(t, alias.Cmd)
	require.Equal(t, []manifest.TaskDependency{{Task: "plain"}, {
		Task: "args",
		Args: []manifest.KeyValue{{
			Key:   "",
			Value: "1",
		}, {
			Key:   "b",
			Value: "y",
		}},
		Environment: "e",
	}}, alias.DependsOn)
	require.Equal(t, []manifest.TaskDependency{{Task: "plain"}}, task("one").DependsOn)
	require.Equal(t, []manifest.TaskDependency{{Task: "plain"}, {Task: "words", Environment: "e"}}, task("short").DependsOn)
	require.True(t, task("short").Alias)
}
