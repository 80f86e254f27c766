package workspace

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

const environments = `-- pixi.toml --
[workspace]
name = "w"
version = "1.2"
channels = ["low", { channel = "high", priority = 2 }, "low2"]
platforms = ["linux-64", { name = "gpu", platform = "linux-64" }, "osx-arm64"]
preview = ["pixi-build"]

[dependencies]
python = ">=3.11"
numpy = "*"
[host-dependencies]
numpy = ">=1.26"
[pypi-dependencies]
Rich_Text = "*"
[constraints]
openssl = "<4"
[dev]
a = { path = "a" }
[tasks]
hello = "echo default"
both = "echo default"
only-default = "x"
there = { cmd = "x", default-environment = "test" }
_hidden = "x"
[activation]
scripts = ["base.sh"]
env = { A = "base", B = "$A-2" }

[target.linux.dependencies]
python = "==3.12"
gcc = "*"
[target.linux-64.tasks]
hello = "echo linux-64"
[target.linux.activation]
scripts = ["linux.sh"]
env = { A = "linux" }
[target."linux-*".pypi-dependencies]
rich-text = "==1"

[feature.test]
platforms = ["linux-64"]
channels = ["testing"]
dependencies = { pytest = "*", numpy = "<3" }
[feature.test.tasks]
both = "echo test"
there = "echo test"
test = "pytest"
[feature.test.activation.env]
A = "test"
[feature.lint.tasks]
test = "lint"

[environments]
test = { features = ["test"], solve-group = "g" }
lint = ["lint"]
bare = { features = ["test"], no-default-feature = true }
[environments.inline]
features = ["lint"]
dependencies = { ruff = "*" }
tasks = { hello = "echo inline" }
`

func deps(list []manifest.Dependency) []string {
	return names(list, func(d manifest.Dependency) string { return d.Name + " " + d.Spec.Text })
}

func tasks(list []*manifest.Task) []string {
	return names(list, func(t *manifest.Task) string { return t.Name + ": " + t.Cmd })
}

func TestManifest(t *testing.T) {
	m := load(t, environments).Manifest
	require.Equal(t, []string{"w", "1.2", "pixi.toml", "."}, []string{m.Name, m.Version, m.Path, m.Dir})
	require.Equal(t, []string{"high", "low", "low2"}, m.Channels)
	require.Equal(t, []string{"linux-64", "gpu", "osx-arm64"}, m.Platforms)
	require.Equal(t, []string{"default", "test", "lint", "bare", "inline"}, names(m.Environments, func(e *manifest.Environment) string { return e.Name }))
	inline, err := m.Environment("inline")
	require.NoError(t, err)
	require.Equal(t, []string{"environment:inline", "lint", "default"}, inline.Features)
	test, err := m.Environment("test")
	require.NoError(t, err)
	require.Equal(t, "g", test.SolveGroup)
	_, err = m.Environment("tset")
	require.EqualError(t, err, `no environment named "tset" in pixi.toml; there are bare, default, inline, lint and test`)
	require.Equal(t, operr.Usage, operr.ExitStatus(err))
}

func TestResolve(t *testing.T) {
	m := load(t, environments).Manifest
	for _, c := range []struct {
		environment, platform               string
		conda, pypi, channels, platforms    []string
		constraints, scripts, hello, active string
	}{
		{
			environment: "default",
			platform:    "",
			conda:       []string{"python >=3.11", "numpy >=1.26"},
			pypi:        []string{"Rich_Text *"},
			channels:    []string{"high", "low", "low2"},
			platforms:   []string{"linux-64", "gpu", "osx-arm64"},
			constraints: "openssl <4",
			scripts:     "base.sh",
			hello:       "echo default",
			active:      "A=base B=$A-2 ",
		},
		{
			environment: "default",
			platform:    "linux-64",
			conda:       []string{"python ==3.12", "numpy >=1.26", "gcc *"},
			pypi:        []string{"rich-text ==1"},
			channels:    []string{"high", "low", "low2"},
			platforms:   []string{"linux-64", "gpu", "osx-arm64"},
			constraints: "openssl <4",
			scripts:     "linux.sh",
			hello:       "echo linux-64",
			active:      "A=linux B=$A-2 ",
		},
		{
			environment: "default",
			platform:    "osx-arm64",
			conda:       []string{"python >=3.11", "numpy >=1.26"},
			pypi:        []string{"Rich_Text *"},
			channels:    []string{"high", "low", "low2"},
			platforms:   []string{"linux-64", "gpu", "osx-arm64"},
			constraints: "openssl <4",
			scripts:     "base.sh",
			hello:       "echo default",
			active:      "A=base B=$A-2 ",
		},
		{
			environment: "test",
			platform:    "",
			conda:       []string{"pytest *", "numpy <3", "python >=3.11", "numpy >=1.26"},
			pypi:        []string{"Rich_Text *"},
			channels:    []string{"high", "testing", "low", "low2"},
			platforms:   []string{"linux-64"},
			constraints: "openssl <4",
			scripts:     "base.sh",
			hello:       "echo default",
			active:      "A=test B=$A-2 ",
		},
		{
			environment: "inline",
			platform:    "",
			conda:       []string{"ruff *", "python >=3.11", "numpy >=1.26"},
			pypi:        []string{"Rich_Text *"},
			channels:    []string{"high", "low", "low2"},
			platforms:   []string{"linux-64", "gpu", "osx-arm64"},
			constraints: "openssl <4",
			scripts:     "base.sh",
			hello:       "echo inline",
			active:      "A=base B=$A-2 ",
		},
	} {
		t.Run(c.environment+" "+c.platform, func(t *testing.T) {
			r, err := m.Resolve(c.environment, c.platform)
			require.NoError(t, err)
			require.Equal(t, c.conda, deps(r.Conda))
			require.Equal(t, c.pypi, deps(r.PyPI))
			require.Equal(t, []string{c.constraints}, deps(r.Constraints))
			require.Equal(t, c.channels, r.Channels)
			require.Equal(t, c.platforms, r.Platforms)
			require.Equal(t, []string{c.scripts}, r.Activation.Scripts)
			active := ""
			for _, kv := range r.Activation.Env {
				active += kv.Key + "=" + kv.Value + " "
			}
			require.Equal(t, c.active, active)
			require.Contains(t, tasks(r.Tasks), "hello: "+c.hello)
		})
	}
	bare, err := m.Resolve("bare", "linux-64")
	require.NoError(t, err)
	require.Equal(t, []string{"both: echo test", "test: pytest", "there: echo test"}, tasks(bare.Tasks))
	require.Empty(t, bare.PyPI)
	_, err = m.Resolve("x", "")
	require.Error(t, err)
}

// Task chooses the same task as `pixi run`.
func TestTaskChoice(t *testing.T) {
	m := load(t, environments).Manifest
	for _, c := range []struct{ task, environment, platform, want string }{
		{"only-default", "", "", "default: x"},
		{"only-default", "test", "", "test: x"},
		{"_hidden", "", "", "default: x"},
		{"there", "", "", "test: echo test"},     // the task's default-environment
		{"there", "", "osx-arm64", "default: x"}, // the environment does not support this platform, and no other environment has a different task
		{"hello", "inline", "linux-64", "inline: echo inline"},
		{"both", "bare", "", "bare: echo test"},
		{"hello", "", "", `task "hello" of pixi.toml is in more than one environment: default, test, lint, inline`},
		{"test", "", "", `task "test" of pixi.toml is in more than one environment: test, lint, bare, inline`},
		{"test", "lint", "", "lint: lint"},
		{"only-defaul", "", "", `no task named "only-defaul" in pixi.toml; there are both, hello, only-default, test and there`},
		{"only-default", "bare", "", `no task named "only-default" in environment bare of pixi.toml; there are both, test and there`},
		{"hello", "nope", "", `no environment named "nope" in pixi.toml; there are bare, default, inline, lint and test`},
	} {
		t.Run(c.task+" "+c.environment+" "+c.platform, func(t *testing.T) {
			task, e, err := m.Task(c.task, c.environment, c.platform)
			if err != nil {
				require.EqualError(t, err, c.want)
				require.Equal(t, operr.Usage, operr.ExitStatus(err))
				return
			}
			require.Equal(t, c.want, e.Name+": "+task.Cmd)
		})
	}
}

// If a pyproject.toml defines the workspace, its [project] dependencies are added to the environments.
func TestPyprojectWorkspace(t *testing.T) {
	w := load(t, `
-- pyproject.toml --
[project]
name = "w"
version = "0.3.0"
requires-python = ">=3.12"
dependencies = ["rich", "rich>13"]
[project.optional-dependencies]
gui = ["panel"]
[dependency-groups]
test = ["pytest"]
[tool.pixi.workspace]
channels = []
[tool.pixi.feature.gui.dependencies]
bokeh = "*"
[tool.pixi.environments]
all = ["gui", "test"]
[tool.pixi.package]
build.backend.name = "pixi-build-python"
version.workspace = true
-- other/pyproject.toml --
[project]
name = "other"
dependencies = ["w==0.3.0"]
version = "0.3"
[tool.pixi.package.build.backend]
name = "pixi-build-python"
`)
	require.Equal(t, []string{"w", "0.3.0"}, []string{w.Manifest.Name, w.Manifest.Version})
	r, err := w.Manifest.Resolve("all", "")
	require.NoError(t, err)
	require.Equal(t, []string{"bokeh *", "python >=3.12"}, deps(r.Conda))
	require.Equal(t, []string{"panel ", "pytest ", "rich ", "rich >13"}, deps(r.PyPI))
	require.Equal(t, []string{"w", "other"}, packageNames(w.Order()))
	require.Equal(t, manifest.VersionWorkspace, w.Order()[0].Version.Source)
	require.Equal(t, "pyproject.toml:3:11", w.Order()[0].Version.Pos.String())
	require.Empty(t, w.Disagreements())
}
