package condanames

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

func TestPyPISpecifier(t *testing.T) {
	for in, want := range map[string]string{
		"":           "",
		"*":          "",
		">=1.26, <3": ">=1.26,<3",
		"==1.2":      "==1.2",
		"==1.2.*":    "==1.2.*",
		"1.2":        "==1.2",
		"2.*":        "==2.*",
		"=1.2":       "==1.2.*",
		"=1.2.*":     "==1.2.*",
		">=1.2.*":    ">=1.2",
		"!=1.5.*":    "!=1.5.*",
		"~=1.4.2":    "~=1.4.2",
	} {
		got, err := writeSpecifier(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"==1.2|==1.3", "(>=1,<2)", ">=", "=!1"} {
		_, err := writeSpecifier(in)
		require.Error(t, err, in)
	}
}

// Requirements with conda-specific fields or other sources cannot be resolved by a PyPI index.
func TestRequirementsBeyondPyPI(t *testing.T) {
	for want, spec := range map[string]manifest.Spec{
		"the requirement names a conda build":            {Build: "py313_0"},
		"the requirement names a conda build ":           {Number: "0"},
		"the requirement names sources outside of PyPI":  {Git: "https://host.example/a.git"},
		"the requirement names sources outside of PyPI ": {URL: "https://host.example/a.conda"},
	} {
		_, err := WriteRequirement(manifest.Dependency{Spec: spec}, "a")
		require.EqualError(t, err, strings.TrimSpace(want))
	}
	got, err := WriteRequirement(manifest.Dependency{Spec: manifest.Spec{Text: ">=1", Extras: []string{"x", "y"}}}, "a")
	require.NoError(t, err)
	require.Equal(t, "a[x,y]>=1", got)
}

// A package that is built by another package of the workspace is rejected, because that name may belong to someone else on PyPI.
func TestABuildBackendOfOurs(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":           "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"tool/pixi.toml":      "[package]\nname = \"tool\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
		"tool/pyproject.toml": "[project]\nname = \"Our_Tool\"\nversion = \"1.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
		"lib/pixi.toml":       "[package]\nname = \"lib\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
		"lib/pyproject.toml":  "[project]\nname = \"lib\"\nversion = \"1.0\"\n[build-system]\nrequires = [\"our-tool\"]\nbuild-backend = \"our_tool\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	for name, refused := range map[string]bool{"tool": false, "lib": true} {
		p, err := w.Package(name)
		require.NoError(t, err)
		err = RefuseOwnBackend(w, p)
		require.Equal(t, refused, err != nil, "%s: %v", name, err)
		if refused {
			require.ErrorContains(t, err, "its build backend is tool, a package of this workspace")
		}
	}
}
