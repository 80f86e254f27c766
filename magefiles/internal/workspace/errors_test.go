package workspace

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/stretchr/testify/require"
)

// An error for invalid input is one sentence with file, line and column, and has a next step and exit status 1.
func TestErrors(t *testing.T) {
	const root = "-- pixi.toml --\n[workspace]\nname = \"w\"\n"
	for _, c := range []struct{ name, archive, want, next string }{
		{
			name:    "broken TOML in a package",
			archive: root + "-- packages/core/pixi.toml --\n[package]\nname = \"core\"\nversion == \"1\"\n",
			want:    "packages/core/pixi.toml:3:10: unexpected character",
			next:    "correct the TOML syntax of the file",
		},
		{
			name:    "broken TOML in the pyproject beside it",
			archive: root + "-- a/pixi.toml --\n" + pkg("a", "") + "-- a/pyproject.toml --\n[project\n",
			want:    "a/pyproject.toml:1:9: expected ']'",
			next:    "correct the TOML syntax of the file",
		},
		{"broken TOML in the root", "-- pixi.toml --\n[workspace]\nname = \n", "pixi.toml:2:8: ", "correct the TOML syntax of the file"},
		{"a key twice", root + "-- a/pixi.toml --\n" + pkg("a", "[package]\n"), "a/pixi.toml:6:2: package is defined twice, first in line 1", ""},
		{
			name:    "two packages of one name",
			archive: root + "-- a/pixi.toml --\n" + pkg("Core", "") + "-- b/pixi.toml --\n" + pkg("core", ""),
			want:    "b/pixi.toml:1:2: two packages are named core; the other package is a/pixi.toml:1:2",
			next:    "rename one of the two packages",
		},
		{
			name:    "no pyproject.toml",
			archive: root + "-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = \"1\"\nbuild = { backend = { name = \"pixi-build-python\" } }\n",
			want:    "a/pixi.toml:4:1: pixi-build-python needs a/pyproject.toml, which does not exist",
			next:    "ignore-pyproject-manifest",
		},
		{
			name:    "no pyproject.toml in the source folder",
			archive: root + "-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = \"1\"\n[package.build]\nsource = { path = \"../src\" }\nbackend = { name = \"pixi-build-python\" }\n",
			want:    "a/pixi.toml:4:10: pixi-build-python needs src/pyproject.toml",
			next:    "",
		},
		{"no backend", root + "-- a/pixi.toml --\n[package]\nname = \"a\"\n", "a/pixi.toml:1:2: the package has no build backend", "[package.build] backend"},
		{
			name:    "no name",
			archive: root + "-- a/pixi.toml --\n[package]\nbuild = { backend = { name = \"pixi-build-python\" } }\n-- a/pyproject.toml --\n[project]\n",
			want:    "a/pixi.toml:1:2: the package has no name",
			next:    "add `name`",
		},
		{
			name:    "an inherited version that does not exist",
			archive: root + "-- a/pixi.toml --\n[package]\nname = \"a\"\nversion.workspace = true\nbuild.backend.name = \"x\"\n",
			want:    "a/pixi.toml:3:1: the version is inherited, but the workspace has no version",
			next:    "add `version`",
		},
		{
			name:    "workspace = false",
			archive: root + "-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = { workspace = false }\nbuild.backend.name = \"x\"\n",
			want:    "a/pixi.toml:3:25: `workspace` can only be true",
			next:    "",
		},
		{
			name:    "a number for a version",
			archive: root + "-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = 1.0\nbuild.backend.name = \"x\"\n",
			want:    "a/pixi.toml:3:11: version must be a string, and is a float",
			next:    "",
		},
		{"a number for a spec", root + "[dependencies]\nx = 1\n", "pixi.toml:4:5: x must be a string or a table, and is an integer", "such as"},
		{
			name:    "a requirement that the pool does not have",
			archive: root + "-- a/pixi.toml --\n" + pkg("a", "[package.run-dependencies]\nnumpy = { workspace = true }\n"),
			want:    "a/pixi.toml:7:1: numpy inherits its version, but [workspace.dependencies] of the workspace does not have this package",
			next:    "add the package",
		},
		{
			name:    "an inherited requirement with a version",
			archive: root + "[workspace.dependencies]\nx = \"1\"\n[dependencies]\nx = { workspace = true, version = \"2\" }\n",
			want:    "pixi.toml:6:1: x has `workspace = true` beside its own version",
			next:    "keep `workspace = true`",
		},
		{"one requirement twice", root + "[dependencies]\nNumPy = \"1\"\nnumpy = \"2\"\n", "pixi.toml:5:1: numpy is required twice in [dependencies]: NumPy before", ""},
		{
			name:    "a condition without if",
			archive: root + "-- a/pixi.toml --\n" + pkg("a", "[package.run-dependencies.\"when(linux)\"]\nx = \"*\"\n"),
			want:    `a/pixi.toml:6:27: "when(linux)" is neither a package name nor a condition`,
			next:    "if(",
		},
		{"an unknown task key", root + "[tasks]\na = { cmd = \"x\", depends = [\"b\"] }\n", "pixi.toml:4:18: a task has no key depends", "did you mean depends-on?"},
		{"an alias with a cwd", root + "[tasks]\na = { depends-on = [\"b\"], cwd = \"x\" }\n", "pixi.toml:4:27: a task has no key cwd", ""},
		{"depends-on that is a table", root + "[tasks]\na = { depends-on = { task = \"b\" } }\n", "pixi.toml:4:20: depends-on must be an array, and is a table", ""},
		{"a default before an argument without a default", root + "[tasks]\na = { cmd = \"x\", args = [{ arg = \"p\", default = \"\" }, \"q\"] }\n", "pixi.toml:4:55: argument q has no default", ""},
		{"an unknown feature", root + "[feature.test.tasks]\na = \"x\"\n[environments]\ndev = [\"tset\"]\n", `pixi.toml:6:8: no feature named "tset"`, "did you mean test?"},
		{"an unknown key of the release", root + "[tool.release]\nchanel = \"x\"\n", "pixi.toml:4:1: [tool.release] has no key chanel", "did you mean channel? "},
		{"a table that is misspelled", root + "[tool.relase]\nchannel = \"x\"\n", "pixi.toml:3:7: nothing reads the table [tool.relase]", "did you mean [tool.release]?"},
		{"a table in capitals", root + "[tool.Release]\nchannel = \"x\"\n", "pixi.toml:3:7: nothing reads the table [tool.Release]", "did you mean [tool.release]?"},
		{"a table beside [tool]", root + "[tools.release]\nchannel = \"x\"\n", "pixi.toml:3:8: nothing reads the table [tools.release]", "did you mean [tool.release]?"},
		{"a lock as a copy", root + "[tool.release]\ncopies = [\"sub/go.mod\"]\n", `pixi.toml:4:11: copies cannot have "sub/go.mod"`, "remove the entry: a tool writes this file"},
		{"an unknown value of versioning", root + "[tool.release]\nversioning = \"lock-step\"\n", `pixi.toml:4:14: versioning cannot be "lock-step"`, "did you mean lockstep? "},
		{"a folder of git's to include", root + "[tool.release]\ninclude = [\"a/.git\"]\n", `pixi.toml:4:12: include cannot be "a/.git": the files in .git belong to this clone alone`, "name only files that builds need"},
		{"a file of git's to include", root + "[tool.release]\ninclude = [\"a/../.Git/config\"]\n", `pixi.toml:4:12: include cannot be "a/../.Git/config"`, "name only files that builds need"},
		{"two lines to include", root + "[tool.release]\ninclude = [\"a\\nb\"]\n", `pixi.toml:4:12: include cannot be "a\nb"`, "name a file or a folder"},
		{"a branch that is a number", root + "[tool.release]\nbranch = 1\n", "pixi.toml:4:10: branch must be a string, and is an integer", "correct"},
		{"a branch of a list that is a number", root + "[tool.release]\nbranch = [\"main\", 1.1]\n", "pixi.toml:4:19: an element of the list must be a string, and is a float", "correct"},
		{"no branch in the list", root + "[tool.release]\nbranch = []\n", "pixi.toml:4:10: branch is empty", "remove the key"},
		{"an empty branch in the list", root + "[tool.release]\nbranch = [\n  \"main\",\n  \"\",\n]\n", "pixi.toml:6:3: branch is empty", "remove the key"},
		{"an invalid pattern in the list", root + "[tool.release]\nbranch = [\"main\", \"1.[0-\"]\n", `pixi.toml:4:19: branch cannot be "1.[0-": syntax error in pattern`, `"1.*"`},
		{"an invalid pattern alone", root + "[tool.release]\nbranch = \"[]\"\n", `pixi.toml:4:10: branch cannot be "[]": syntax error in pattern`, `"1.*"`},
		{"an empty message", root + "[tool.release]\ncommit = \"\"\n", "pixi.toml:4:10: commit is empty", "remove the key"},
		{"a message of spaces", root + "[tool.release]\ntag-message = \"\"\"\n \n\"\"\"\n", "pixi.toml:4:15: tag-message is empty", "remove the key"},
		{"a placeholder that does not exist", root + "[tool.release]\ncommit = \"release {version}\"\n", "pixi.toml:4:10: commit has no placeholder {version}", "write {title}"},
		{"a misspelled placeholder", root + "[tool.release]\ntag-message = \"{title} {Title}\"\n", "pixi.toml:4:15: tag-message has no placeholder {Title}", "write {title}"},
		{"an empty placeholder", root + "[tool.release]\ncommit = \"release {}\"\n", "pixi.toml:4:10: commit has no placeholder {}", "write {title}"},
		{"a NUL in a message", root + "[tool.release]\ncommit = \"release \\u0000\"\n", "pixi.toml:4:10: commit has a control character", "remove the control character"},
		{"a secret's value", root + "[tool.release]\nsecret = \"pfx-1234\"\n", `pixi.toml:4:10: secret must be a name, but its value looks like a key`, "revoke the key"},
		{"a key instead of a secret's name", root + "[tool.release]\nread-secret = \"pfx_abcdefgh\"\n", `pixi.toml:4:15: read-secret must be a name, but its value looks like a key`, "the name of the secret or the variable"},
		{"a key that is passed", root + "[tool.release]\npass = [\"ghp_abcdefgh\"]\n", `pixi.toml:4:9: pass must be a name, but its value looks like a key`, "the name of the secret or the variable"},
		{"an invalid name of a secret", root + "[tool.release]\nsecret = \"my key\"\n", `pixi.toml:4:10: secret cannot be "my key", which is not the name of a secret`, "keep its value out of the file"},
		{"a secret that GitHub refuses", root + "[tool.release]\nread-secret = \"GITHUB_KEY\"\n", `pixi.toml:4:15: read-secret cannot be "GITHUB_KEY"`, "name the secret"},
		{"a list of messages", root + "[tool.release]\ncommit = [\"release {title}\"]\n", "pixi.toml:4:10: commit must be a string, and is an array", ""},
		{
			name:    "a downstream that is broken",
			archive: root + "-- a/pixi.toml --\n" + pkg("a", "") + "-- app/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/ours\"]\n[dependencies]\na = \"1\"\n[tasks]\nb = 1\n",
			want:    "app/pixi.toml:6:5: b must be a table, and is an integer",
			next:    "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(repo(t, c.archive))
			require.ErrorContains(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), c.want), err.Error())
			require.Equal(t, operr.Failed, operr.ExitStatus(err))
			require.NotContains(t, err.Error(), "\n")
			var e *operr.Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Next)
			require.Contains(t, e.Next, c.next)
		})
	}
}

func TestNoWorkspace(t *testing.T) {
	dir := repo(t, "-- a/pixi.toml --\n[package]\n")
	_, err := Load(filepath.Join(dir, "a"))
	require.ErrorContains(t, err, "no workspace at "+filepath.Join(dir, "a")+": neither this folder nor a folder above has a pixi.toml")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	_, err = Load(filepath.Join(dir, "gone"))
	require.ErrorContains(t, err, "looking for a workspace: ")
}

// A syntax error in another project's pyproject.toml is ignored.
func TestOtherProjectsAreIgnored(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\n-- tests/data/pyproject.toml --\n[project\n-- a/pixi.toml --\n"+pkg("a", ""))
	require.Equal(t, []string{"a"}, packageNames(w.Packages))
}

// Tables of other tools are accepted even if their names resemble ours.
func TestTablesOfOtherTools(t *testing.T) {
	text := "-- pyproject.toml --\n[tool.pixi.workspace]\nname = \"acme\"\n[tool]\nimage-tool = {}\n"
	for _, name := range []string{"black", "bumpversion", "coverage", "hatch", "isort", "mypy", "pdm", "poetry", "pylint", "pyright", "release-me", "ruff", "semantic_release", "setuptools", "towncrier", "uv"} {
		text += "[tool." + name + "]\nx = 1\n"
	}
	require.Equal(t, "acme", load(t, text).Config.Channel)
}

func TestConfig(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"acme\"\n")
	require.Equal(t, settings.Config{Channel: "acme", Versioning: settings.Lockstep, Publish: settings.PublishCI, Land: settings.LandByPush, Remote: "origin", Commit: "chore(release): {title}", TagMessage: "{title}"}, w.Config)
	w = load(t, "-- pyproject.toml --\n[tool.pixi.workspace]\nname = \"acme\"\n[tool.release]\nchannel = \"c\"\nversioning = \"independent\"\npublish = \"here\"\nbranch = \"trunk\"\nremote = \"upstream\"\ncommit = \"release {title}\"\ntag-message = \"it is {title}\"\n")
	require.Equal(t, settings.Config{
		Channel:    "c",
		Named:      true,
		PublishSet: true,
		Versioning: settings.Independent,
		Publish:    settings.PublishHere,
		Land:       settings.LandByPush,
		Branches:   []string{"trunk"},
		Branch:     "trunk",
		Remote:     "upstream",
		Commit:     "release {title}",
		TagMessage: "it is {title}",
		Pos:        manifest.Pos{File: "pyproject.toml", Line: 3, Col: 7},
	}, w.Config)
}
