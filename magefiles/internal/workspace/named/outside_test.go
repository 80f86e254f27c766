package named_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// FindOutside returns packed sources outside the package's folder, but not the repository top that a tool's setting refers to, a
// readme, or licenses.
func TestSourcesOutsideOfThePackage(t *testing.T) {
	for name, c := range map[string]struct {
		pyproject string
		want      []string
	}{
		"setuptools package-dir": {"[tool.setuptools.package-dir]\n\"\" = \"../shared\"\n", []string{"shared"}},
		"setuptools find":        {"[tool.setuptools.packages.find]\nwhere = [\"src\", \"../shared/lib\"]\n", []string{"shared/lib"}},
		"setuptools data":        {"[tool.setuptools]\npackage-data = { a = [\"../../shared/*.json\", \"*.txt\"] }\n", nil},
		"hatch force-include":    {"[tool.hatch.build.targets.wheel.force-include]\n\"../shared/lib\" = \"a/lib\"\n", []string{"shared/lib"}},
		"hatch packages":         {"[tool.hatch.build.targets.wheel]\npackages = [\"../shared/lib\", \"../other\"]\n", []string{"other", "shared/lib"}},
		"hatch version":          {"[tool.hatch.version]\nsource = \"code\"\npath = \"../other/v.py\"\n", []string{"other/v.py"}},
		"poetry":                 {"[tool.poetry]\nname = \"a\"\npackages = [{ include = \"lib\", from = \"../shared\" }]\n", []string{"shared"}},
		"pattern":                {"[tool.poetry]\ninclude = [\"../shared/l*/**\"]\n", []string{"shared"}},
		"uv":                     {"[tool.uv.build-backend]\nmodule-root = \"../shared\"\n", []string{"shared"}},
		"pdm":                    {"[tool.pdm.build]\npackage-dir = \"../shared\"\n", []string{"shared"}},
		"the workspace":          {"[tool.setuptools.packages.find]\nwhere = [\"..\"]\n", []string{"."}},
		"setuptools-scm":         {"[tool.setuptools_scm]\nroot = \"..\"\n", nil},
		"hatch-vcs":              {"[tool.hatch.version]\nsource = \"vcs\"\nraw-options = { root = \"..\" }\n", nil},
		"readme":                 {"", nil},
		"outside of all":         {"[tool.setuptools.package-dir]\n\"\" = \"../../elsewhere\"\n", nil},
		"not there":              {"[tool.setuptools.package-dir]\n\"\" = \"../gone\"\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"pixi.toml":       "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
				"shared/lib/x.py": "", "other/v.py": "__version__ = \"1.0\"\n", "README.md": "",
				"a/pixi.toml":      "[package]\nname = \"a\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
				"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1.0\"\nreadme = \"../README.md\"\n" + c.pyproject,
			} {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			w, err := workspace.Load(root)
			require.NoError(t, err)
			require.Equal(t, append([]string{"a"}, c.want...), w.Packages[0].Sources())
		})
	}
}
