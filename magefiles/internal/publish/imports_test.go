package publish

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

func TestModules(t *testing.T) {
	require.Equal(t, []string{"a", "ns.one", "single"}, modules([]string{
		"info/index.json",
		"site-packages/a/__init__.py", "site-packages/a/sub/deep.py", "site-packages/a/__main__.py",
		"site-packages/a-1.0.dist-info/METADATA",
		"site-packages/ns/one/__init__.py", "site-packages/ns/one/x.py",
		"site-packages/single.py", "site-packages/data.txt",
		"python-scripts/tool.py", "share/other.py",
	}))
	require.Empty(t, modules([]string{"share/data.txt"}))
	require.Equal(t, []string{"b", "ns.two", "win", "y"}, modules([]string{
		"lib/python3.11/site-packages/b/__init__.py", "lib/python3.11/site-packages/ns/two/__init__.py",
		"lib/python3.13t/site-packages/y.py", "Lib/site-packages/win/__init__.py",
		"lib/python3.11/site.py", "lib/pythonic/site-packages/z.py", "share/lib/python3.11/site-packages/z.py",
		"site-packages/templates/my-file.py", "site-packages/{{name}}/__init__.py", "site-packages/1st.py",
	}))
}

// The version is read from the package's own distribution, not from a vendored one.
func TestDistribution(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"one":   {"site-packages/one-1.0.dist-info/METADATA": "", "site-packages/one/_vendor/zwei-2.0.dist-info/METADATA": ""},
		"three": {"lib/python3.12/site-packages/three-1.0.dist-info/METADATA": ""},
		"":      {"share/doc/four-1.0.dist-info/METADATA": ""},
	} {
		p, err := newProbe("x", "", condapkgtest.Package{Name: "x", Files: files}.Write(t, t.TempDir()))
		require.NoError(t, err)
		require.Equal(t, want, p.Distribution)
	}
	for want, pypi := range map[string]string{"acme_core": "Acme.Core", "attrs": "attrs", "": "acme"} {
		p, err := newProbe("core", pypi, condapkgtest.Package{
			Name: "core",
			Files: map[string]string{
				"site-packages/acme_core-1.0.dist-info/METADATA": "", "site-packages/attrs-25.1.dist-info/METADATA": "",
			},
		}.Write(t, t.TempDir()))
		require.NoError(t, err)
		require.Equal(t, want, p.Distribution)
	}
}
