package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostileInheritance checks that MadeOf includes everything outside a package's folder that affects the package: inherited values,
// files that its manifests refer to, and .gitattributes files.
func TestHostileInheritance(t *testing.T) {
	const build = "\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"
	const root = "-- pixi.toml --\n[workspace]\nname = \"w\"\nversion = \"1.0\"\nlicense = \"MIT\"\nchannels = []\nplatforms = [\"linux-64\"]\n[workspace.dependencies]\nnumpy = \"*\"\n" +
		"-- LICENSE --\nMIT\n-- README.md --\n\n"
	for name, c := range map[string]struct {
		manifest, project string
		has, lacks        []string
	}{
		"nothing":                {"[package]\nname = \"a\"\nversion = \"1.0\"" + build, "", []string{"lib/a", "lib/.gitattributes", ".gitattributes"}, []string{"pixi.toml", "LICENSE"}},
		"the version":            {"[package]\nname = \"a\"\nversion = { workspace = true }" + build, "", []string{"pixi.toml"}, nil},
		"what it says of itself": {"[package]\nname = \"a\"\nversion = \"1.0\"\nlicense.workspace = true" + build, "", []string{"pixi.toml"}, nil},
		"a requirement":          {"[package]\nname = \"a\"\nversion = \"1.0\"" + build + "[package.run-dependencies]\nnumpy = { workspace = true }\n", "", []string{"pixi.toml"}, nil},
		"a license":              {"[package]\nname = \"a\"\nversion = \"1.0\"\nlicense-file = \"../../LICENSE\"" + build, "", []string{"LICENSE"}, []string{"pixi.toml"}},
		"of the project":         {"[package]\nname = \"a\"\nversion = \"1.0\"" + build, "readme = \"../../README.md\"\nlicense-files = [\"../../LIC*\"]\n", []string{"README.md", "."}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := load(t, root+"-- lib/a/pixi.toml --\n"+c.manifest+"-- lib/a/pyproject.toml --\n[project]\nname = \"a\"\nversion = \"1.0\"\n"+c.project)
			made := w.MadeOf(w.Packages[0])
			for _, file := range c.has {
				require.Contains(t, made, file)
			}
			for _, file := range c.lacks {
				require.NotContains(t, made, file)
			}
		})
	}
}
