package workspace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

// copies lists all places that contain a package's version.
func copies(p *Package) []string {
	return names(p.Versions, func(v manifest.Version) string { return fmt.Sprintf("%s %s %s", v.Source, v.Text, v.Pos) })
}

const literalRepo = `
-- pixi.toml --
[workspace]
name = "acme"
-- .gitignore --
_version.py
-- core/pixi.toml --
[package]
name = "acme-core"
version = "0.1.6"
build.backend.name = "pixi-build-python"
`

// A literal __version__ in a package's module is a copy of the package's version, whichever of the possible source folders contains the module.
func TestLiteralVersions(t *testing.T) {
	const manifest = "core/pixi.toml:3:11"
	const project = "-- core/pyproject.toml --\n[project]\nname = \"Acme.Core\"\nversion = \"0.1.6\"\n"
	for _, c := range []struct {
		name, archive string
		want          []string
	}{
		{
			name:    "src layout",
			archive: project + "-- core/src/acme_core/__init__.py --\n\"\"\"Doc.\n__version__ = \"9\"\n\"\"\"\n__version__ = \"0.1.6\"  # bumped\n",
			want:    []string{"literal 0.1.6 core/src/acme_core/__init__.py:4:16"},
		},
		{"flat layout and an annotation", project + "-- core/Acme_Core/_about.py --\n__version__: str = '0.1.6'\n", []string{"literal 0.1.6 core/Acme_Core/_about.py:1:21"}},
		{"a namespace", project + "-- core/src/acme/core/version.py --\n__version__='0.1.6'", []string{"literal 0.1.6 core/src/acme/core/version.py:1:14"}},
		{"a module of one file", project + "-- core/acme_core.py --\n__version__ = \"0.1.5\"\n", []string{"literal 0.1.5 core/acme_core.py:1:16"}},
		{"the only module", project + "-- core/src/other/__init__.py --\n__version__ = \"0.1.6\"\n", []string{"literal 0.1.6 core/src/other/__init__.py:1:16"}},
		{"one of two modules with other names", project + "-- core/src/b/__init__.py --\n__version__ = \"0.1.6\"\n-- core/src/c/__init__.py --\n", nil},
		{"a generated file", project + "-- core/src/acme_core/__init__.py --\n-- core/src/acme_core/_version.py --\n__version__ = \"0.1.6\"\n", nil},
		{"a computed version", project + "-- core/src/acme_core/__init__.py --\nfrom importlib.metadata import version\n__version__ = version(\"acme-core\")\n", nil},
		{"two versions", project + "-- core/src/acme_core/__init__.py --\n__version__ = \"0.1.6\"\n__version__ = \"0.1.6\"\n", nil},
		{"versions in brackets and in a block", project + "-- core/src/acme_core/__init__.py --\nx = f(\n__version__ = \"0.1.6\"\n)\nif x:\n    __version__ = \"0.1.6\"\n-- core/src/acme_core/_about.py --\n__version__ = \"unknown\"\n", nil},
		{"a placeholder beside a tag is not a copy", "-- core/pyproject.toml --\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n-- core/src/acme_core/__init__.py --\n__version__ = \"0.0.0\"\n", nil},
		{
			name:    "any module of the wheel with the same version",
			archive: project + "-- core/src/acme_core/__main__.py --\n__version__ = \"0.1.5\"\n-- core/src/acme_core/a/b.py --\n__version__ = '0.1.6'\n-- core/src/acme_core/c.py --\n__version__ = '0.1.5'\n-- core/src/acme_core/_vendor/six.py --\n__version__ = '0.1.6'\n-- core/src/more/__init__.py --\n__version__ = '0.1.6.0'\n-- core/tests/x.py --\n__version__ = '0.1.6'\n",
			want:    []string{"literal 0.1.5 core/src/acme_core/__main__.py:1:16", "literal 0.1.6 core/src/acme_core/a/b.py:1:16", "literal 0.1.6.0 core/src/more/__init__.py:1:16"},
		},
		{
			name:    "by way of another module",
			archive: project + "-- core/src/acme_core/__init__.py --\nfrom .const import VERSION\n__version__ = VERSION\n-- core/src/acme_core/const.py --\nMINIMUM = '0.1.6'\nVERSION = '0.1.6'\n-- core/src/acme_core/version.py --\nversion = '0.1.6'\nSINCE_VERSION = '0.1.6'\n-- core/src/acme_core/other.py --\nVERSION = '0.1.6'\n",
			want:    []string{"literal 0.1.6 core/src/acme_core/const.py:2:12", "literal 0.1.6 core/src/acme_core/version.py:1:12"},
		},
		{
			name:    "another name has another version",
			archive: project + "-- core/src/acme_core/version.py --\nVERSION = '3.1.6'\n",
			want:    nil,
		},
		{
			name:    "a copy beside a tag is a copy",
			archive: "-- core/pyproject.toml --\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n-- core/src/acme_core/__init__.py --\n__version__ = \"0.1.6\"\n",
			want:    []string{"literal 0.1.6 core/src/acme_core/__init__.py:1:16"},
		},
		{
			name:    "the file that hatch reads is listed once",
			archive: "-- core/pyproject.toml --\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.hatch.version]\npath = \"src/acme_core/__init__.py\"\n-- core/src/acme_core/__init__.py --\n__version__ = \"0.1.6\"\n",
			want:    []string{"file 0.1.6 core/src/acme_core/__init__.py:1:16"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := load(t, literalRepo+c.archive)
			got := copies(w.Packages[0])
			require.Equal(t, "package 0.1.6 "+manifest, got[0])
			var rest []string
			for _, line := range got[1:] {
				if line != "project 0.1.6 core/pyproject.toml:3:11" && !strings.HasPrefix(line, "tag ") {
					rest = append(rest, line)
				}
			}
			require.Equal(t, c.want, rest)
			for _, v := range w.Packages[0].Versions {
				if v.Node == nil && v.Text != "" {
					require.Len(t, w.Texts, len(rest))
					i := slices.IndexFunc(w.Texts, func(x Text) bool { return x.Name == v.Pos.File })
					require.Equal(t, v.Text, string(w.Texts[i].Src[v.Start:v.End]))
				}
			}
		})
	}
}

// A module with a different version is a disagreement.
func TestLiteralDisagrees(t *testing.T) {
	w := load(t, literalRepo+"-- core/pyproject.toml --\n[project]\n-- core/src/acme_core/__init__.py --\n__version__ = \"0.1.5\"\n")
	require.Equal(t, []string{"acme-core has version 0.1.5 in core/src/acme_core/__init__.py:1, but 0.1.6 in core/pixi.toml:3"},
		names(w.Disagreements(), func(d Disagreement) string { return d.Message }))
}

func TestRecipeVersions(t *testing.T) {
	const manifest = "-- pixi.toml --\n[workspace]\nname = \"acme\"\n-- lib/pixi.toml --\n[package]\nname = \"lib\"\nversion = \"1.0.0\"\nbuild.backend.name = \"pixi-build-rattler-build\"\n"
	for _, c := range []struct {
		name, recipe string
		want         []string
	}{
		{"a variable", "# comment\ncontext:\n  name: lib\n  version: \"1.2.3\" # keep\n\npackage:\n  version: ${{ version }}\n", []string{"recipe 1.2.3 lib/recipe.yaml:4:13", "package 1.0.0 lib/pixi.toml:3:11"}},
		{"a literal, plain", "package:\n  name: lib\n  version: 1.2.3\n", []string{"recipe 1.2.3 lib/recipe.yaml:3:12", "package 1.0.0 lib/pixi.toml:3:11"}},
		{"with outputs", "context: {v: '1.2.3'}\nrecipe:\n  version: ${{v}}\n", []string{"recipe 1.2.3 lib/recipe.yaml:1:15", "package 1.0.0 lib/pixi.toml:3:11"}},
		{"computed", "package:\n  version: ${{ git.latest_tag(x) }}\n", []string{"package 1.0.0 lib/pixi.toml:3:11"}},
		{"empty", "", []string{"package 1.0.0 lib/pixi.toml:3:11"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := load(t, manifest+"-- lib/recipe.yaml --\n"+c.recipe)
			require.Equal(t, c.want, copies(w.Packages[0]))
		})
	}
	_, err := Load(repo(t, manifest+"-- lib/recipe.yaml --\na: [\n"))
	require.ErrorContains(t, err, "lib/recipe.yaml: yaml: ")
	_, err = Load(repo(t, manifest+"-- lib/recipe.yaml --\npackage:\n  version: >\n    1.0\n"))
	require.ErrorContains(t, err, "is written in a form that cannot be edited")
}
