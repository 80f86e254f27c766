package workspace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

const release = "-- pixi.toml --\n[workspace]\nname = \"w\"\n[tool.release.pypi]\n"

func TestStandIns(t *testing.T) {
	w := load(t, release+"PyTorch = \"torch\"\nmy-name = \"my-name\"\nnodejs = { program = \"node\" }\nmake = false\n\"ruamel.yaml\" = \"ruamel.yaml\"\nopenjdk.program = \"java\"\n")
	require.Len(t, w.Config.PyPI, 6)
	for name, want := range map[string]settings.StandIn{
		"pytorch": {Project: "torch"}, "PYTORCH": {Project: "torch"}, "my-name": {Project: "my-name"}, "nodejs": {Program: "node"},
		"make": {LeftOut: true}, "ruamel.yaml": {Project: "ruamel.yaml"}, "openjdk": {Program: "java"},
	} {
		in, ok := w.Config.StandIn(name)
		require.True(t, ok, name)
		want.Name, want.Pos = strings.ToLower(name), in.Pos
		require.Equal(t, want, in)
	}
	in, _ := w.Config.StandIn("make")
	require.Equal(t, "pixi.toml:7:1", in.Pos.String())
	for _, name := range []string{"my_name", "torch", "ruamel-yaml", ""} { // conda distinguishes '-' and '_'
		_, ok := w.Config.StandIn(name)
		require.False(t, ok, name)
	}
}

// The table may also be in a pyproject.toml file. A workspace without the table has no stand-ins.
func TestStandInsElsewhere(t *testing.T) {
	w := load(t, "-- pyproject.toml --\n[project]\nname = \"w\"\n[tool.pixi.workspace]\nname = \"w\"\n[tool.release.pypi]\nage = \"age\"\n")
	in, ok := w.Config.StandIn("age")
	require.True(t, ok)
	require.Equal(t, "pyproject.toml:6:1", in.Pos.String())
	require.Empty(t, load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n").Config.PyPI)
}

func TestWrongStandIns(t *testing.T) {
	for _, c := range []struct{ name, lines, want, next string }{
		{"a number", "x = 1", "pixi.toml:4:5: x must be a string, a table with a program, or false", "name = false"},
		{"true", "make = true", "pixi.toml:4:8: make must be a string", "which leaves the package out"},
		{"a list", "torch = [\"a\"]", "pixi.toml:4:9: torch must be", ""},
		{"nothing", "x = \"\"", `pixi.toml:4:5: x cannot be ""`, "write only the name"},
		{"with a version", "pytorch = \"torch>=2\"", `pixi.toml:4:11: pytorch cannot be "torch>=2"`, "the version comes from the requirement"},
		{"with an extra", "ray-default = \"ray[default]\"", `ray-default cannot be "ray[default]"`, ""},
		{"a program that is misspelled", "nodejs = { programm = \"node\" }", "pixi.toml:4:12: nodejs of [tool.release.pypi] has no key programm", "did you mean program?"},
		{"another key", "nodejs = { program = \"node\", version = \"20\" }", "pixi.toml:4:30: nodejs of [tool.release.pypi] has no key version", ""},
		{"an empty table", "nodejs = {}", "pixi.toml:4:10: nodejs names no program", "its-program"},
		{"a program with an empty name", "nodejs = { program = \"\" }", `pixi.toml:4:22: program cannot be ""`, "PATH"},
		{"a path", "nodejs = { program = \"/usr/bin/node\" }", `program cannot be "/usr/bin/node"`, "searched on PATH"},
		{"a program that is not a string", "nodejs = { program = true }", "program must be a string", ""},
		{"a dot without quotes", "ruamel.yaml = \"ruamel.yaml\"", "pixi.toml:4:8: ruamel of [tool.release.pypi] has no key yaml", `write "ruamel.yaml"`},
		{"two words", "\"num py\" = \"numpy\"", `pixi.toml:4:1: "num py" is not the name of a conda package`, ""},
		{"one name twice", "age = \"age\"\nAge = false", "pixi.toml:5:1: [tool.release.pypi] has Age twice, at line 4 before", "keep one"},
		{"the interpreter", "python = false", "pixi.toml:4:1: python is not a project", "remove the line"},
		{"a package of the workspace", "core = \"core\"\n-- core/pixi.toml --\n" + pkg("Core", ""), "pixi.toml:4:1: core is a package of this workspace (core/pixi.toml)", "remove the line"},
		{"a project of the workspace", "core = \"My.Core\"\n-- core/pixi.toml --\n" + pkg("acme-core", "") + "-- core/pyproject.toml --\n[project]\nname = \"my-core\"\n", `pixi.toml:4:1: core cannot be "My.Core", which is a package of this workspace`, "require acme-core"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(repo(t, release+c.lines+"\n"))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "pixi.toml:")
			var told *operr.Error
			require.ErrorAs(t, err, &told)
			require.Contains(t, told.Next, c.next)
		})
	}
	_, err := Load(repo(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n[tool.release]\npypi = \"x\"\n"))
	require.ErrorContains(t, err, "pixi.toml:4:8: pypi must be a table, and is a string")
}

// TestRequiresLike checks that RequiresLike finds the PyPI requirement with a conda package's name, and ignores requirements from other sources.
func TestRequiresLike(t *testing.T) {
	project := load(t, `
-- pixi.toml --
[workspace]
name = "w"
-- pyproject.toml --
[build-system]
requires = ["My.Backend>=1"]
[project]
name = "w"
dependencies = ["age>=1", "direct @ https://example.invalid/direct.whl", "from-git", "Two_Words[extra]; python_version > '3'"]
[project.optional-dependencies]
more = ["optional"]
[dependency-groups]
dev = ["grouped", { include-group = "x" }]
[tool.uv.sources]
From_Git = { git = "https://example.invalid/x" }
[tool.poetry.dependencies]
poetic = "^1"
private = { version = "1", source = "ours" }
beside = { path = "../beside" }
`).Project
	require.NotNil(t, project)
	for name, line := range map[string]int{"age": 5, "AGE": 5, "two-words": 5, "two_words": 5, "my-backend": 2, "optional": 7, "grouped": 9, "poetic": 13} {
		pos, ok := project.RequiresLike(name)
		require.True(t, ok, name)
		require.Equal(t, "pyproject.toml", pos.File)
		require.Equal(t, line, pos.Line, name)
	}
	for _, name := range []string{"direct", "from-git", "from_git", "private", "beside", "mold", "w", "x"} {
		_, ok := project.RequiresLike(name)
		require.False(t, ok, name)
	}
	_, ok := (*manifest.Project)(nil).RequiresLike("age")
	require.False(t, ok)
}
