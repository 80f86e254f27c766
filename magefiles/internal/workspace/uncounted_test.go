package workspace

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Manifests that look like a member or a downstream, but are neither, are listed with a reason.
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
		{"a channel whose name is in a variable", nested("app", `"https://prefix.dev/ours", "conda-forge"`, `acme-lib = "*"`), []string{"app"}, []string{}},
		{"in a feature", "-- app/pixi.toml --\n[workspace]\nchannels = [\"conda-forge\"]\n[feature.x]\nchannels = [\"https://prefix.dev/acme\"]\n[feature.x.dependencies]\nacme-lib = \"*\"\n", []string{"app"}, []string{}},
		{
			name:      "only another project's channel",
			archive:   nested("tests/data/a", `"conda-forge"`, `acme-lib = "==0.1.0"`),
			uncounted: []string{`tests/data/a/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "from another server's channel of that name",
			archive:   nested("app", `"https://conda.anaconda.org/acme"`, `acme-lib = "==0.1.0"`),
			uncounted: []string{`app/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "by a path",
			archive:   nested("examples/a", `"https://prefix.dev/acme"`, `acme-lib = { path = "../../lib" }`),
			uncounted: []string{`examples/a/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "no channel",
			archive:   nested("examples/a", "", `acme-lib = "==0.1.0"`) + "-- b/pixi.toml --\n[workspace]\n[feature.x.dependencies]\nacme-lib = \"*\"\n",
			uncounted: []string{`b/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`, `examples/a/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, but no channel",
			archive:   nested("tests/image", "", "acme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, but only another project's channel",
			archive:   nested("tests/image", `"conda-forge"`, "acme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{
			name:      "an image, by a path",
			archive:   nested("tests/image", `"acme"`, "acme-lib = { path = \"../../lib\" }\n[tool.image]\ncheck = [\"true\"]"),
			uncounted: []string{`tests/image/pixi.toml does not count: it requires acme-lib, but has none of our channels; a downstream has "https://prefix.dev/acme" among its channels`},
		},
		{"an image, with our channel", "-- app/pixi.toml --\n[workspace]\nplatforms = [\"linux-64\"]\nchannels = [\"acme\"]\n[dependencies]\nacme-lib = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]\n", []string{"app"}, []string{}},
		{"left out", nested("fixtures/a", `"acme"`, `acme-lib = "*"`) + nested("docs", `"acme"`, `acme-lib = "*"`) + "-- fixtures/broken/pixi.toml --\n[[[\n", nil, []string{}},
		{"a stranger", nested("other", `"conda-forge"`, `numpy = "*"`), nil, []string{}},
		{
			name:      "a member with a workspace of its own",
			archive:   "-- m/pixi.toml --\n[workspace]\n[package]\nname = \"m\"\nversion = \"1\"\n-- n/pyproject.toml --\n[project]\nname = \"n\"\n[tool.pixi.workspace]\n",
			uncounted: []string{"m/pixi.toml does not count: it has its own [workspace] beside [package], so it is not a member of this workspace; a member's manifest has only [package]", "n/pyproject.toml does not count: it has its own [workspace], so it is not a member of this workspace; a member's manifest has only [package]"},
		},
		{
			name:      "a project of PyPI, and a recipe",
			archive:   "-- p/pyproject.toml --\n[project]\nname = \"p\"\n-- q/pyproject.toml --\n[tool.black]\n-- r/recipe.yaml --\n-- s/meta.yaml --\n-- .gitignore --\ns\n",
			uncounted: []string{"p/pyproject.toml does not count: it is only a project of PyPI; to make it a conda package, add [tool.pixi.package] to it, or a pixi.toml with [package] beside it", `r/recipe.yaml does not count: no manifest refers to it; to make it a member, add a pixi.toml beside it: [package] with build.backend.name = "pixi-build-rattler-build"`},
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

// If there is no workspace, the error suggests workspaces in subfolders.
func TestErrorSuggestsWorkspacesBelow(t *testing.T) {
	for archive, next := range map[string]string{
		"-- a/b/pixi.toml --\n[workspace]\n-- a/b/c/pixi.toml --\n[workspace]\n": "go tool mage -w a/b TARGET",
		"-- x/pyproject.toml --\n[tool.pixi.workspace]\n-- y/pixi.toml --\n[[\n": "go tool mage -w x TARGET",
		"-- x/pixi.toml --\n[package]\n-- .x/pixi.toml --\n[workspace]\n":        "or make a workspace with `pixi init`",
	} {
		_, err := Load(repo(t, archive))
		require.ErrorContains(t, err, "no workspace at ")
		require.Contains(t, fmt.Sprintf("%+v", err), next)
	}
}

// If [tool.release] sets the channel, no other channel is treated as the workspace's own.
func TestChannelInTheTable(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n[tool.release]\nchannel = \"acme\"\n-- a/pixi.toml --\n"+pkg("a", "")+
		"-- app/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/others\"]\n[dependencies]\na = \"*\"\n"+
		"-- site/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/acme\"]\n[dependencies]\na = \"*\"\n")
	require.Len(t, w.Downstreams, 1)
	require.Equal(t, "site", w.Downstreams[0].Dir)
	require.Len(t, w.Uncounted, 1)
}
