package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// two returns a workspace with core 0.1.0 and a package ui that has the given tables.
func two(pixi, pyproject string) string {
	const build = "[package.build]\nbackend = { name = \"pixi-build-python\" }\n"
	return "-- pixi.toml --\n[workspace]\nname = \"w\"\n" +
		"-- core/pixi.toml --\n[package]\nname = \"core\"\nversion = \"0.1.0\"\n" + build +
		"-- core/pyproject.toml --\n[project]\nname = \"core\"\nversion = \"0.1.0\"\n" +
		"-- util/pyproject.toml --\n[project]\nname = \"util\"\nversion = \"0.1.0\"\n[tool.pixi.package.build.backend]\nname = \"pixi-build-python\"\n" +
		"-- ui/pixi.toml --\n[package]\nname = \"ui\"\nversion = \"0.1.0\"\n" + build + pixi +
		"-- ui/pyproject.toml --\n[project]\nname = \"ui\"\nversion = \"0.1.0\"\n" + pyproject
}

func TestDisagreements(t *testing.T) {
	for _, c := range []struct {
		name, archive string
		want          []string
	}{
		{"none", two("[package.run-dependencies]\ncore = \"==0.1.0\"\n", "dependencies = [\"core==0.1.0\"]\n"), []string{}},
		{"one version in two spellings", two("[package.run-dependencies]\ncore = \"==0.1\"\n", "dependencies = [\"core == 0.1.0.0\"]\n"), []string{}},
		{
			name:    "versions",
			archive: "-- pixi.toml --\n[workspace]\n-- a/pyproject.toml --\n[project]\nname = \"a\"\nversion = \"0.2.0\"\n[tool.pixi.package]\nversion = \"0.1.0\"\nbuild.backend.name = \"pixi-build-python\"\n",
			want:    []string{"a/pyproject.toml:3:11 a: a has version 0.2.0 in a/pyproject.toml:3, but 0.1.0 in a/pyproject.toml:5"},
		},
		{
			name:    "a missing version",
			archive: "-- pixi.toml --\n[workspace]\n-- a/pyproject.toml --\n[project]\nname = \"a\"\n[tool.pixi.package]\nbuild.backend.name = \"pixi-build-python\"\n",
			want:    []string{"a/pyproject.toml:3:12 a: a has no version"},
		},
		{
			name:    "stale pins of a package",
			archive: two("[package.run-dependencies]\ncore = \"==0.0.9\"\n[package.run-constraints]\nutil = \"0.0.8\"\n", "dependencies = [\"core==0.0.9\"]\n[project.optional-dependencies]\nx = [\"ui[y]==0.0.7\"]\n"),
			want: []string{
				"ui/pixi.toml:7:1 ui: ui pins core to 0.0.9, but the package is at 0.1.0",
				"ui/pixi.toml:9:1 ui: ui pins util to 0.0.8, but the package is at 0.1.0",
				"ui/pyproject.toml:4:17 ui: ui pins core to 0.0.9, but the package is at 0.1.0",
				"ui/pyproject.toml:6:6 ui: ui pins ui to 0.0.7, but the package is at 0.1.0",
			},
		},
		{"ranges are not pins", two("[package.run-dependencies]\ncore = \">=0.2\"\n", "dependencies = [\"core>=0.2,==0.0.9\"]\n"), []string{}},
		{
			name:    "a pin in one file, a range in the other",
			archive: two("[package.run-dependencies]\ncore = \"==0.1.0\"\n", "dependencies = [\"core>=0.1\"]\n"),
			want:    []string{"ui/pixi.toml:7:1 ui: ui requires core ==0.1.0 in pixi.toml, but >=0.1 in pyproject.toml"},
		},
		{"a path without a version agrees with any", two("[package.run-dependencies]\ncore = { path = \"../core\" }\n", "dependencies = [\"core==0.1.0\"]\n"), []string{}},
		{
			name:    "in one list only",
			archive: two("[package.run-dependencies]\ncore = \"==0.1.0\"\n", "dependencies = [\"util==0.1.0\"]\n"),
			want: []string{
				"ui/pixi.toml:7:1 ui: ui requires core in pixi.toml, but not in pyproject.toml",
				"ui/pyproject.toml:4:17 ui: ui requires util in pyproject.toml, but not in pixi.toml",
			},
		},
		{"siblings in only one of the files", two("[package.run-dependencies]\ncore = \"==0.1.0\"\n", "dependencies = [\"numpy\"]\n"), []string{}},
		{"an extra in the other file", two("[package.run-dependencies]\ncore = \"==0.1.0\"\nutil = \"==0.1.0\"\n", "dependencies = [\"core==0.1.0\"]\n[project.optional-dependencies]\nx = [\"util==0.1.0\"]\n"), []string{}},
		{"mapped by the backend", two("[package.run-dependencies]\ncore = \"==0.1.0\"\n[package.build.config]\nignore-pypi-mapping = false\n", "dependencies = [\"util==0.1.0\"]\n"), []string{}},
		{
			name: "a wrong pin in the pool is reported once",
			archive: "-- pixi.toml --\n[workspace]\nname = \"w\"\n[workspace.dependencies]\na = \"==0.0.1\"\n-- a/pixi.toml --\n" + pkg("a", "") +
				"-- b/pixi.toml --\n" + pkg("b", "[package.run-dependencies]\na = { workspace = true }\n") + "-- c/pixi.toml --\n" + pkg("c", "[package.run-dependencies]\na = { workspace = true }\n"),
			want: []string{"pixi.toml:4:1 w: w pins a to 0.0.1, but the package is at 0.1.0"},
		},
		{
			name:    "the root manifest may take an older one from the channel, not from its own path",
			archive: "-- pixi.toml --\n[workspace]\nname = \"w\"\n[dependencies]\na = \"==0.0.1\"\n[feature.x.dependencies]\na = { path = \"a\", version = \"==0.0.1\" }\n-- a/pixi.toml --\n" + pkg("a", ""),
			want:    []string{"pixi.toml:6:1 w: w pins a to 0.0.1, but the package is at 0.1.0"},
		},
		{
			name:    "a pin of the pool beside a path",
			archive: "-- pixi.toml --\n[workspace]\nname = \"w\"\n[workspace.dependencies]\na = { path = \"a\", version = \"==0.0.1\" }\n-- a/pixi.toml --\n" + pkg("a", ""),
			want:    []string{"pixi.toml:4:1 w: w pins a to 0.0.1, but the package is at 0.1.0"},
		},
		{
			name:    "all have one version, and one is behind",
			archive: "-- pixi.toml --\n[workspace]\n-- a/pixi.toml --\n" + pkg("a", "") + "-- b/pixi.toml --\n[package]\nname = \"b\"\nversion = \"0.2.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n-- c/pixi.toml --\n" + pkg("c", ""),
			want: []string{
				"a/pixi.toml:3:11 a: a is at 0.1.0, but b is at 0.2.0 (b/pixi.toml:3); all packages must have the same version",
				"c/pixi.toml:3:11 c: c is at 0.1.0, but b is at 0.2.0 (b/pixi.toml:3); all packages must have the same version",
			},
		},
		{
			name:    "two spellings of one version",
			archive: "-- pixi.toml --\n[workspace]\n-- a/pixi.toml --\n" + pkg("a", "") + "-- b/pixi.toml --\n[package]\nname = \"b\"\nversion = \"0.1\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
			want:    []string{},
		},
		{
			name:    "each package has its own version",
			archive: "-- pixi.toml --\n[workspace]\n[tool.release]\nversioning = \"independent\"\n-- a/pixi.toml --\n" + pkg("a", "") + "-- b/pixi.toml --\n[package]\nname = \"b\"\nversion = \"0.2.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
			want:    []string{},
		},
		{
			name: "a dynamic version agrees with any pin",
			archive: "-- pixi.toml --\n[workspace]\n-- a/pyproject.toml --\n[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.pixi.package]\nbuild.backend.name = \"pixi-build-python\"\n" +
				"-- b/pixi.toml --\n" + pkg("b", "[package.run-dependencies]\na = \"==9\"\n"),
			want: []string{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := names(load(t, c.archive).Disagreements(), func(d Disagreement) string { return d.Pos.String() + " " + d.Package + ": " + d.Message })
			require.Equal(t, c.want, got)
		})
	}
}

// One way to resolve a disagreement is to let packages have different versions.
func TestWaysOut(t *testing.T) {
	const other = "-- b/pixi.toml --\n[package]\nname = \"b\"\nversion = \"0.2.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n"
	const follow = "or let a bump correct them: `mage version:bump -to=… -fixDrift`"
	for archive, want := range map[string]string{
		"-- a/pixi.toml --\n" + pkg("a", "") + other:                                                      follow + ", or let each package have its own version with `versioning = \"independent\"` in [tool.release] of pixi.toml",
		"[dependencies]\na = { path = \"a\", version = \"==0.0.1\" }\n-- a/pixi.toml --\n" + pkg("a", ""): follow,
	} {
		w := load(t, "-- pixi.toml --\n[workspace]\n"+archive)
		require.Equal(t, want, w.WaysOut(w.Disagreements()))
	}
}
