package workspace

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What looks like a member or a downstream, and is none, is named with the reason.
func TestUncounted(t *testing.T) {
	const root = "-- pixi.toml --\n[workspace]\nname = \"acme\"\n[tool.release]\nignore = [\"fixtures/**\", \"docs/pixi.toml\"]\n"
	const lib = "-- lib/pixi.toml --\n[package]\nname = \"acme-lib\"\nversion = \"0.1.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n"
	nested := func(dir, channels, deps string) string {
		return fmt.Sprintf("-- %s/pixi.toml --\n[workspace]\nname = \"x\"\nchannels = [%s]\n[dependencies]\n%s\n", dir, channels, deps)
	}
	for _, c := range []struct {
		name, archive string
		downstreams   []string
		uncounted     []string
	}{
		{"a channel of ours, by its address", nested("app", `"https://prefix.dev/acme", "conda-forge"`, `acme-lib = "==0.1.0"`), []string{"app"}, []string{}},
		{"by the address of the files", nested("app", `"https://repo.prefix.dev/acme/"`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"by its name", nested("app", `"conda-forge", "acme"`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"with a priority", nested("app", `{ channel = "https://prefix.dev/acme", priority = 1 }`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"on another server", nested("app", `"http://127.0.0.1:1234/acme"`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"of a name that a variable says", nested("app", `"https://prefix.dev/ours", "conda-forge"`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"in a feature", "-- app/pixi.toml --\n[workspace]\nchannels = [\"conda-forge\"]\n[feature.x]\nchannels = [\"https://prefix.dev/acme\"]\n[feature.x.dependencies]\nacme-lib = \"*\"\n", []string{"app"}, []string{}},
		{
			name:      "from a stranger alone",
			archive:   nested("tests/data/a", `"conda-forge"`, `acme-lib = "==0.1.0"`),
			uncounted: []string{`tests/data/a/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "from another server's channel of that name",
			archive:   nested("app", `"https://conda.anaconda.org/acme"`, `acme-lib = "==0.1.0"`),
			uncounted: []string{`app/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "by a path",
			archive:   nested("examples/a", `"https://prefix.dev/acme"`, `acme-lib = { path = "../../lib" }`),
			uncounted: []string{`examples/a/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "from no channel at all",
			archive:   nested("examples/a", "", `acme-lib = "==0.1.0"`) + "-- b/pixi.toml --\n[workspace]\n[feature.x.dependencies]\nacme-lib = \"*\"\n",
			uncounted: []string{`b/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`, `examples/a/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, from no channel at all",
			archive:   nested("tests/image", "", "acme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, from a stranger alone",
			archive:   nested("tests/image", `"conda-forge"`, "acme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, by a path",
			archive:   nested("tests/image", `"acme"`, "acme-lib = { path = \"../../lib\" }\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, and takes it from no channel of ours; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{"an image, from ours", "-- app/pixi.toml --\n[workspace]\nplatforms = [\"linux-64\"]\nchannels = [\"acme\"]\n[dependencies]\nacme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]\n", []string{"app"}, []string{}},
		{"left out", nested("fixtures/a", `"acme"`, `acme-lib = "*"`) + nested("docs", `"acme"`, `acme-lib = "*"`) + "-- fixtures/broken/pixi.toml --\n[[[\n", nil, []string{}},
		{"a stranger", nested("other", `"conda-forge"`, `numpy = "*"`), nil, []string{}},
		{
			name:      "a member with a workspace of its own",
			archive:   "-- m/pixi.toml --\n[workspace]\n[package]\nname = \"m\"\nversion = \"1\"\n-- n/pyproject.toml --\n[project]\nname = \"n\"\n[tool.pixi.workspace]\n",
			uncounted: []string{"m/pixi.toml does not count: it has a [workspace] of its own beside its [package], and is no member of this one; a member's manifest has [package] alone", "n/pyproject.toml does not count: it has a [workspace] of its own, and is no member of this one; a member's manifest has [package] alone"},
		},
		{
			name:      "a project of PyPI, and a recipe",
			archive:   "-- p/pyproject.toml --\n[project]\nname = \"p\"\n-- q/pyproject.toml --\n[tool.black]\n-- r/recipe.yaml --\n-- s/meta.yaml --\n-- .gitignore --\ns\n",
			uncounted: []string{"p/pyproject.toml does not count: it is a project of PyPI alone; [tool.pixi.package] in it, or a pixi.toml with [package] beside it, makes a conda package of it", `r/recipe.yaml does not count: no manifest leads to it; a pixi.toml beside it makes it a member: [package] with build.backend.name = "pixi-build-rattler-build"`},
		},
	} {
		w := load(t, root+lib+c.archive)
		require.Len(t, w.Packages, 1, c.name)
		require.Equal(t, c.downstreams, append([]string(nil), names(w.Downstreams, func(d *Downstream) string { return d.Dir })...), c.name)
		require.Equal(t, c.uncounted, names(w.Uncounted, Uncounted.String), c.name)
		require.NoError(t, w.NoPackages())

		empty := load(t, root+c.archive)
		err := empty.NoPackages()
		require.ErrorContains(t, err, "the workspace acme has no package: no pixi.toml, pyproject.toml or mojoproject.toml in "+empty.Root)
		for _, u := range empty.Uncounted {
			require.Contains(t, fmt.Sprintf("%+v", err), u.String())
		}
	}
}

// Where there is no workspace, those below are named.
func TestNoWorkspaceNamesThoseBelow(t *testing.T) {
	for archive, next := range map[string]string{
		"-- a/b/pixi.toml --\n[workspace]\n-- a/b/c/pixi.toml --\n[workspace]\n": "go tool mage -w a/b TARGET",
		"-- x/pyproject.toml --\n[tool.pixi.workspace]\n-- y/pixi.toml --\n[[\n": "go tool mage -w x TARGET",
		"-- x/pixi.toml --\n[package]\n-- .x/pixi.toml --\n[workspace]\n":        "or make one with `pixi init`",
	} {
		_, err := Load(repo(t, archive))
		require.ErrorContains(t, err, "no workspace at ")
		require.Contains(t, fmt.Sprintf("%+v", err), next)
	}
}

// Where the table names our channel, no other one is ours.
func TestAChannelThatTheTableNames(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n[tool.release]\nchannel = \"acme\"\n-- a/pixi.toml --\n"+pkg("a", "")+
		"-- app/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/others\"]\n[dependencies]\na = \"*\"\n"+
		"-- site/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/acme\"]\n[dependencies]\na = \"*\"\n")
	require.Len(t, w.Downstreams, 1)
	require.Equal(t, "site", w.Downstreams[0].Dir)
	require.Len(t, w.Uncounted, 1)
}
