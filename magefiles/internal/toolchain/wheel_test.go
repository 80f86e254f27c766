package toolchain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const builtByPixi = "[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"

// wheelPackage loads a workspace of one package with the given conda version.
func wheelPackage(t *testing.T, version, pixi, pyproject string) (*workspace.Workspace, *workspace.Package) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"pixi.toml":   "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n",
		"a/pixi.toml": "[package]\nname = \"acme-core\"\nversion = \"" + version + "\"\n" + pixi,
	}
	if pyproject != "" {
		files["a/pyproject.toml"] = pyproject
	}
	for file, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w, w.Packages[0]
}

func metadata(name, version string) string {
	return fmt.Sprintf("Metadata-Version: 2.4\nName: %s\nVersion: %s\nSummary: x\n  Version: 9\n\nVersion: 8\n", name, version)
}

const static = "[project]\nname = \"Acme.Core\"\nversion = \"0.1.0\"\n"

func artifactOf(t *testing.T, version string, files map[string]string) string {
	return condapkgtest.Package{Name: "acme-core", Version: version, Depends: []string{"python"}, Files: files}.Write(t, t.TempDir())
}

// TestWheelsOfTheSameVersion checks that different spellings of the version are accepted, as are other projects' metadata and no metadata at all.
func TestWheelsOfTheSameVersion(t *testing.T) {
	for name, c := range map[string]struct {
		version, says string
		files         map[string]string
	}{
		"the same version":                  {"0.1.0", "0.1.0", map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0")}},
		"fewer segments":                    {"0.1.0", "0.1", map[string]string{"site-packages/acme_core-0.1.dist-info/METADATA": metadata("Acme.Core", "0.1")}},
		"a date":                            {"2024.01.05", "2024.1.5", map[string]string{"site-packages/Acme.Core-2024.1.5.dist-info/METADATA": metadata("acme_core", "2024.1.5")}},
		"a local part":                      {"1.0+cu118", "1.0+CU118", map[string]string{"site-packages/acme_core-1.0.dist-info/METADATA": metadata("acme-core", "1.0+CU118")}},
		"no wheel":                          {"0.1.0", "", map[string]string{"share/data.txt": "x"}},
		"a vendored wheel, deeper":          {"0.1.0", "", map[string]string{"site-packages/acme/_vendor/acme_core-2.0.dist-info/METADATA": metadata("acme-core", "2.0")}},
		"another project's wheel beside it": {"0.1.0", "0.1.0", map[string]string{"site-packages/attrs-25.1.dist-info/METADATA": metadata("attrs", "25.1"), "site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0")}},
		"only another project's wheel":      {"0.1.0", "", map[string]string{"site-packages/attrs-25.1.dist-info/METADATA": metadata("attrs", "25.1")}},
		"egg-info":                          {"0.1.0", "0.1.0", map[string]string{"site-packages/acme_core-0.1.0-py3.12.egg-info/PKG-INFO": metadata("acme-core", "0.1.0")}},
		"not in site-packages":              {"0.1.0", "", map[string]string{"share/acme_core-2.0.dist-info/METADATA": metadata("acme-core", "2.0")}},
		"Windows' ends of lines":            {"0.1.0", "0.1.0", map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "name: acme-core\r\nVERSION: 0.1.0\r\n\r\nVersion: 3\r\n"}},
		"an old Mac's ends of lines":        {"0.1.0", "0.1.0", map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "Name: acme-core\rVersion: 0.1.0\r\rVersion: 3\r"}},
		"two versions":                      {"0.1.0", "0.1.0", map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "Name: acme-core\nVersion: 0.1.0\nVersion: 3\n"}},
		"for two Pythons at once":           {"0.1.0", "0.1.0", map[string]string{"lib/python3.12/site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0"), "lib/python3.13/site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0")}},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := wheelPackage(t, c.version, builtByPixi, static)
			a, err := toolchain.Check(w, p, artifactOf(t, c.version, c.files))
			require.NoError(t, err)
			require.Equal(t, c.says, a.Wheel)
		})
	}
}

// TestWheelsOfAnotherVersion checks that wheels with another version are rejected, and that the error has the file, both versions, and a next
// step.
func TestWheelsOfAnotherVersion(t *testing.T) {
	scm := "[build-system]\nrequires = [\"setuptools-scm\"]\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n"
	at := func(version string) map[string]string {
		return map[string]string{"site-packages/acme_core-" + version + ".dist-info/METADATA": metadata("acme-core", version)}
	}
	for name, c := range map[string]struct {
		pixi, pyproject string
		files           map[string]string
		says            string
		next            string
		detail          []string
		not             string
	}{
		"static":                {builtByPixi, static, at("0.1.1"), "the wheel in acme-core-0.1.0-pyh4616a5c_0.conda has version 0.1.1, but the package is acme-core 0.1.0 (site-packages/acme_core-0.1.1.dist-info/METADATA)", "change the version in a/pyproject.toml to 0.1.0, and build the package again", nil, "·"},
		"dynamic":               {builtByPixi, "[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.setuptools.dynamic]\nversion = { attr = \"acme.V\" }\n", at("2.0"), "has version 2.0", "change the version in the source that setuptools attr acme.V reads the wheel's version from (a/pyproject.toml", nil, "·"},
		"none":                  {builtByPixi, static, map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "Name: acme-core\n"}, "has no version", "a/pyproject.toml", nil, "·"},
		"two lines in one":      {builtByPixi, static, map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "Name: acme-core\nSummary: x\rVersion: 0.1.1\nVersion: 0.1.0\n"}, "has version 0.1.1", "a/pyproject.toml", nil, "·"},
		"below the description": {builtByPixi, static, map[string]string{"site-packages/acme_core-0.1.0.dist-info/METADATA": "Name: acme-core\nno header\nVersion: 0.1.0\n"}, "has no version", "a/pyproject.toml", nil, "·"},
		"compiled":              {builtByPixi, static, map[string]string{"lib/python3.12/site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0rc1")}, "has version 0.1.0rc1", "a/pyproject.toml", nil, "·"},
		"a setup.py":            {builtByPixi + "config = { ignore-pyproject-manifest = true }\n", "", map[string]string{"site-packages/core-0.0.0.dist-info/METADATA": metadata("core", "0.0.0")}, "has version 0.0.0", "the source of the wheel's version", nil, "·"},
		"after the tag":         {builtByPixi, scm, at("0.1.1.dev2+g1234567"), "0.1.1.dev2+g1234567, but the package is acme-core 0.1.0", "fix the likeliest of these causes", []string{"tag_regex", "git_describe_command"}, "version_file"},
		"dirty":                 {builtByPixi, scm, at("0.1.0+d20260102"), "because setuptools-scm did not use the version of the tag (a/pyproject.toml:", "fix the likeliest of these causes", []string{"version_file", "git rm --cached"}, "fallback"},
		"dirty distance":        {builtByPixi, scm, at("0.1.1.dev3+g1234567.d20260102"), "dev3", "fix the likeliest of these causes", []string{"version_file", "tag_regex"}, "PRETEND"},
		"no tag":                {builtByPixi, scm, at("0.1.dev40+g1234567"), "0.1.dev40", "fix the likeliest of these causes", []string{"found no tag", "fallback_version", "root"}, "version_file"},
		"another tag's":         {builtByPixi, scm, at("3.0.0"), "3.0.0", "fix the likeliest of these causes", []string{"--match"}, "version_file"},
		"pretended":             {builtByPixi + "config = { env = { SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE = \"0.0.9\" } }\n", scm, at("0.0.9"), "0.0.9", "fix the likeliest of these causes", []string{"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE = \"0.0.9\": write 0.1.0 instead"}, "version_file"},
		"a setup.cfg":           {builtByPixi, "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n", at("0.0.9"), "has version 0.0.9", "change the version in the setup.cfg or setup.py beside a/pyproject.toml to 0.1.0", nil, "·"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := wheelPackage(t, "0.1.0", c.pixi, c.pyproject)
			_, err := toolchain.Check(w, p, artifactOf(t, "0.1.0", c.files))
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), c.next)
			for _, d := range c.detail {
				require.Contains(t, operr.DetailOf(err), d)
			}
			require.NotContains(t, operr.DetailOf(err), c.not)
			var other *toolchain.WheelError
			require.ErrorAs(t, err, &other)
		})
	}
}

func TestMetadataTwice(t *testing.T) {
	w, p := wheelPackage(t, "0.1.0", builtByPixi, static)
	_, err := toolchain.Check(w, p, artifactOf(t, "0.1.0", map[string]string{
		"site-packages/acme_core-0.1.0.dist-info/METADATA": metadata("acme-core", "0.1.0"),
		"site-packages/Acme.Core-0.1.dist-info/METADATA":   metadata("Acme.Core", "0.1"),
	}))
	require.ErrorContains(t, err, "has the metadata of acme-core twice, in Acme.Core-0.1.dist-info and in acme_core-0.1.0.dist-info")
	require.Contains(t, operr.NextOf(err), "build the package again")
}

// TestCollectAnyWheel checks that a wheel built between tags is accepted only if its version is derived from tags.
func TestCollectAnyWheel(t *testing.T) {
	wheel := map[string]string{"site-packages/acme_core-0.1.1.dev2.dist-info/METADATA": metadata("acme-core", "0.1.1.dev2+g1")}
	for name, c := range map[string]struct {
		pyproject string
		takes     bool
	}{
		"hatch-vcs":      {"[build-system]\nrequires = [\"hatch-vcs\"]\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n", true},
		"versioningit":   {"[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.versioningit]\n", true},
		"setuptools-scm": {"[build-system]\nrequires = [\"setuptools-scm\"]\n[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n", true},
		"static":         {static, false},
		"another tool":   {"[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n[tool.pdm.version]\nsource = \"call\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := wheelPackage(t, "0.1.0", builtByPixi, c.pyproject)
			b := toolchain.Build{Workspace: w, Packages: []*workspace.Package{p}, Dir: t.TempDir()}
			_, err := toolchain.Collect(b, []string{artifactOf(t, "0.1.0", wheel)})
			require.ErrorContains(t, err, "has version 0.1.1.dev2+g1, but the package is acme-core 0.1.0")
			b.AnyWheel = true
			built, err := toolchain.Collect(b, []string{artifactOf(t, "0.1.0", wheel)})
			if !c.takes {
				require.ErrorContains(t, err, "has version 0.1.1.dev2+g1, but the package is acme-core 0.1.0")
				require.NotEmpty(t, operr.NextOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, "0.1.1.dev2+g1", built[0].Wheel)
			require.Equal(t, "0.1.0", built[0].Index.Version)
			require.FileExists(t, built[0].Path)
		})
	}
}
