package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesThatCannotBeImportedAreNotPublished has packages that pass their tests when run from source but cannot be imported once installed. The
// release stops before anything is tagged or uploaded, and continues after the fix.
func TestPackagesThatCannotBeImportedAreNotPublished(t *testing.T) {
	t.Parallel()
	const core = "packages/core/"
	const module = core + "src/mono_core/__init__.py"
	plain := "__version__ = \"0.1.6\"\n"
	for name, c := range map[string]struct {
		by        string
		bad, good map[string]string // text that is added to a file or replaces it
		says      string
	}{
		"a module is excluded": {
			by:   "here",
			says: "No module named 'mono_core._data'",
			bad:  map[string]string{core + "pyproject.toml": "[tool.hatch.build.targets.wheel]\nexclude = [\"_data.py\"]\n", module: "import mono_core._data\n", core + "src/mono_core/_data.py": "x = 1\n"},
			good: map[string]string{core + "pyproject.toml": ""},
		},
		"a sub-package is left out of a list": {
			by:   "ci",
			says: "No module named 'mono_core.deep'",
			bad:  map[string]string{core + "pyproject.toml": "[tool.hatch.build.targets.wheel]\nonly-include = [\"src/mono_core/__init__.py\"]\nsources = [\"src\"]\n", module: "import mono_core.deep\n", core + "src/mono_core/deep/__init__.py": ""},
			good: map[string]string{core + "pyproject.toml": "[tool.hatch.build.targets.wheel]\nonly-include = [\"src/mono_core\"]\nsources = [\"src\"]\n"},
		},
		"a dependency is not in the manifest": {
			by:   "here",
			says: "No module named 'not_declared'",
			bad:  map[string]string{module: "import not_declared\n"},
			good: map[string]string{module: ""},
		},
		"data is not packed": {
			by:   "here",
			says: "table.csv",
			bad: map[string]string{
				core + "pyproject.toml": "[tool.hatch.build.targets.wheel]\nexclude = [\"*.csv\"]\n",
				module:                  "import importlib.resources\nimportlib.resources.files(__name__).joinpath('table.csv').read_text()\n", core + "src/mono_core/table.csv": "a,b\n",
			},
			good: map[string]string{core + "pyproject.toml": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: c.by, real: true})
			was := map[string]string{module: plain, core + "pyproject.toml": readFile(t, r.dir, core+"pyproject.toml")}
			for file, text := range c.bad {
				write(t, r.dir, file, was[file]+text)
			}
			r.pushAll("feat: something")
			git(t, r.dir, "tag", "-d", "v0.1.6") // otherwise publish would fail on the tag first
			out := r.refused(1, "nothing was sent", "publish", "-yes")
			require.Contains(t, out, c.says)
			git(t, r.dir, "fetch", "-q", "--tags")
			out = r.refused(1, "nothing was tagged or pushed", "release", "-to=patch", "-yes")
			require.Contains(t, out, c.says)
			_, tags := r.remote()
			require.Empty(t, tags)
			require.Empty(t, r.onChannel())

			for file, text := range c.good {
				write(t, r.dir, file, strings.ReplaceAll(was[file], "0.1.6", "0.1.7")+text)
			}
			r.commitAll("fix: it")
			out = r.ok("release", "-yes")
			require.Contains(t, out, "✓ import")
			require.Contains(t, out, "v0.1.7 is released")
			require.Len(t, r.onChannel(), 3)
		})
	}
}
