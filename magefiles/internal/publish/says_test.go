package publish_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// bareEnv creates an empty Python environment. Each import uses a copy of it, because creating an environment takes longer than the import.
func bareEnv(t *testing.T) string {
	t.Helper()
	env := filepath.Join(t.TempDir(), "env")
	runner := command.NewSystem(os.Environ(), nil)
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: pythontest.Interpreter(t).Path, Args: []string{"-m", "venv", "--without-pip", env}}))
	return env
}

// importing imports a package acme-core 1.2.0 with the given files, in a copy of the environment.
func importing(t *testing.T, bare string, files map[string]string) error {
	t.Helper()
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	runner := command.NewSystem(os.Environ(), nil)
	require.NoError(t, os.CopyFS(env, os.DirFS(bare)))
	sites, err := filepath.Glob(filepath.Join(env, "lib", "python*"))
	require.NoError(t, err)
	require.Len(t, sites, 1)
	for name, text := range files {
		path := filepath.Join(sites[0], name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	v := publish.Verified{Files: []string{condapkgtest.Package{Name: "acme-core", Version: "1.2.0", Files: files}.Write(t, dir)}}
	v.Installed.Python = filepath.Join(env, "bin", "python")
	r, err := condapkg.Identify(v.Files[0])
	require.NoError(t, err)
	p := &publish.Publisher{Scratch: filepath.Join(dir, "scratch"), Runner: runner}
	return p.Import(t.Context(), publish.Delivery{Items: []publish.Item{{Package: "acme-core", Record: r}}}, &v)
}

// TestVersionsThatModulesReport checks that metadata and __version__ of an installed package are compared with the package's version.
func TestVersionsThatModulesReport(t *testing.T) {
	bare := bareEnv(t)
	const own, meta = "site-packages/acme_core/__init__.py", "site-packages/acme_core-1.2.0.dist-info/METADATA"
	said := func(text string) map[string]string {
		return map[string]string{own: text, meta: "Name: acme-core\nVersion: 1.2.0\n"}
	}
	alone := func(text string) map[string]string {
		return map[string]string{"site-packages/wrapped/__init__.py": text}
	}
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"the same":              {said("__version__ = '1.2'"), ""},
		"from the metadata":     {said("from importlib.metadata import version\n__version__ = version('acme-core')"), ""},
		"none":                  {said("VERSION = '3'"), ""},
		"not a text":            {said("__version__ = (1, 1, 0)"), ""},
		"with more":             {said("__version__ = '1.1.0 (debug, gcc 12)'"), ""},
		"a version that raises": {said("def __getattr__(name):\n    raise RuntimeError(name)"), ""},
		"a vendored module":     {map[string]string{own: "", "site-packages/six.py": "__version__ = '1.16.0'"}, ""},
		"a wrapped library":     {alone("__version__ = '5.15'"), ""},
		"in another spelling":   {said("class V(str): pass\n__version__ = V('v1.2.0')"), ""},

		"old":                                {said("__version__ = '1.1.0'"), `the installed module acme_core of package acme-core has __version__ "1.1.0", but the package is version 1.2.0`},
		"between tags":                       {said("__version__ = '1.2.1.dev3+g123'"), `"1.2.1.dev3+g123"`},
		"a placeholder":                      {said("from importlib.metadata import PackageNotFoundError, version\ntry:\n    __version__ = version('acme')\nexcept PackageNotFoundError:\n    __version__ = 'unknown'"), `"unknown"`},
		"empty":                              {said("__version__ = ''"), `has __version__ ""`},
		"lazily":                             {said("def __getattr__(name):\n    if name == '__version__': return '0.0.0'\n    raise AttributeError(name)"), `"0.0.0"`},
		"in a namespace":                     {map[string]string{"site-packages/acme/core/__init__.py": "__version__ = '1.1'"}, "module acme.core of package acme-core"},
		"a file":                             {map[string]string{"site-packages/acme_core.py": "__version__ = '1.1'"}, "module acme_core of"},
		"a single module, between tags":      {alone("__version__ = '1.1.1.dev4'"), "module wrapped of package acme-core"},
		"a single module with a placeholder": {alone("__version__ = '<unknown>'"), "module wrapped of package acme-core"},
		"the metadata":                       {map[string]string{own: "", "site-packages/acme_core-1.1.dist-info/METADATA": "Name: acme-core\nVersion: 1.1\n"}, "package acme-core is version 1.2.0, but the Python distribution inside reports 1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := importing(t, bare, c.files)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}
