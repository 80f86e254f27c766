package publish_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// An artifact in output/ that build:all made between two tags is built again before it is published. It is an error if an artifact's wheel has the
// wrong version for any other reason.
func TestWheelsBetweenTagsAreBuiltAgain(t *testing.T) {
	site := start(t)
	for name, c := range map[string]struct {
		project, wheel string
		again          bool
		fails          string
	}{
		"between tags":                 {"dynamic = [\"version\"]\n[tool.setuptools_scm]\n", "1.1.dev3+g1234567", true, ""},
		"not committed":                {"dynamic = [\"version\"]\n[tool.versioningit]\n", "1.0+d20260102", true, ""},
		"no tag yet":                   {"dynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n", "0.1.dev1", true, ""},
		"the version of the tag":       {"dynamic = [\"version\"]\n[tool.setuptools_scm]\n", "1.0", false, ""},
		"static":                       {"version = \"1.0\"\n", "1.1.dev3", false, "mage build:package base"},
		"a version of another project": {"dynamic = [\"version\"]\n[tool.setuptools.dynamic]\nversion = { attr = \"base.v\" }\n", "1.2", false, "mage build:package base"},
	} {
		t.Run(name, func(t *testing.T) {
			w := load(t, map[string][]string{"base": nil})
			require.NoError(t, os.WriteFile(filepath.Join(w.Root, "base", "pyproject.toml"), []byte("[project]\nname = \"base\"\n"+c.project), 0o644))
			w, err := workspace.Load(w.Root)
			require.NoError(t, err)
			p, _ := newPublisher(t, w, site.channel(t))
			require.NoError(t, os.MkdirAll(p.Output, 0o755))
			recorded(t, p, condapkgtest.Package{
				Name:    "base",
				Depends: []string{"python"},
				Files: map[string]string{
					"site-packages/base-" + c.wheel + ".dist-info/METADATA": "Name: base\nVersion: " + c.wheel + "\n",
				},
			}.Write(t, p.Output))
			ready, _, err := p.Ready(t.Context())
			if c.fails != "" {
				require.ErrorContains(t, err, "has version "+c.wheel+", but the package is base 1.0")
				require.Contains(t, fmt.Sprintf("%+v", err), c.fails)
				return
			}
			require.NoError(t, err)
			_, is := ready["base"]
			require.Equal(t, c.again, !is)
		})
	}
}
