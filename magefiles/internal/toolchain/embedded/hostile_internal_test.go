package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// madeUp creates a folder that looks like an environment created by uv, with links to the test's own files. If an attack succeeds because of a
// bug, it hits these files and not an interpreter on this machine.
func madeUp(t *testing.T) (dir, outside string) {
	top := t.TempDir()
	dir, outside = filepath.Join(top, "env"), filepath.Join(top, "outside")
	for name, text := range map[string]string{
		"outside/python3.12": "interpreter", "outside/cached.py": "cached", "outside/lib/os.py": "library",
		"env/pyvenv.cfg": "home", "env/bin/activate": "activate", "env/lib/python3.12/site-packages/dep/__init__.py": "dep",
	} {
		path := filepath.Join(top, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	require.NoError(t, os.Link(filepath.Join(outside, "cached.py"), filepath.Join(dir, "lib/python3.12/site-packages/dep/hard.py")))
	for name, leads := range map[string]string{
		"bin/python": filepath.Join(outside, "python3.12"), "bin/python3": "python", "bin/python3.12": "python", "lib64": "lib",
		"lib/python3.12/site-packages/linked": filepath.Join(outside, "lib"), "lib/python3.12/site-packages/link.py": filepath.Join(outside, "cached.py"),
		"share": outside,
	} {
		require.NoError(t, os.Symlink(leads, filepath.Join(dir, name)))
	}
	return dir, outside
}

// TestHostileLinksInEnvironments installs packages with a file at a path where the environment has a symlink, or a file with hard links
// elsewhere.
func TestHostileLinksInEnvironments(t *testing.T) {
	files := func(name string) condapkgtest.Package {
		return condapkgtest.Package{Name: "a", Files: map[string]string{name: "evil"}}
	}
	for name, c := range map[string]struct {
		p    condapkgtest.Package
		says string // "" if the installation succeeds
	}{
		"interpreter":                             {files("bin/python"), `the file "bin/python"`},
		"the interpreter with its version":        {files("bin/python3.12"), `the file "bin/python3.12"`},
		"the interpreter as a script":             {files("python-scripts/python3"), `the file "bin/python3"`},
		"the interpreter as an entry point":       {condapkgtest.Package{Name: "a", EntryPoints: []string{"python = a:main"}}, `the file "bin/python"`},
		"the environment's configuration":         {files("pyvenv.cfg"), `the file "pyvenv.cfg"`},
		"below a link to the inside":              {files("lib64/evil"), "in the environment this path is a link"},
		"below a link to the outside":             {files("share/evil"), "in the environment this path is a link"},
		"below a link in a library":               {files("site-packages/linked/os.py"), "in the environment this path is a link"},
		"a file that is a link":                   {files("site-packages/link.py"), "in the environment this path is a link"},
		"a file where a folder is":                {files("bin"), `"bin" is a folder`},
		"a folder where a file is":                {files("bin/activate/x"), `"bin/activate" is not a folder`},
		"an entry point that is a path":           {condapkgtest.Package{Name: "a", EntryPoints: []string{"../../x = a:main"}}, "not a valid file name"},
		"an entry point that is an absolute path": {condapkgtest.Package{Name: "a", EntryPoints: []string{"/tmp/x = a:main"}}, "not a valid file name"},
		"a hard link":                             {files("site-packages/dep/hard.py"), ""},
		"a file of a dependency":                  {files("site-packages/dep/__init__.py"), ""},
		"a script with the name of another":       {condapkgtest.Package{Name: "a", EntryPoints: []string{"activate = a:main"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside := madeUp(t)
			archives, closeAll, err := openAll([]string{c.p.Write(t, t.TempDir())})
			require.NoError(t, err)
			defer closeAll()
			err = newPrefix(dir, pythons.Interpreter{Version: "3.12.1"}).linkAll(archives)
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
			if link := "in the environment this path is a link"; c.says == link {
				require.Contains(t, operr.NextOf(err), "remove this file from the package")
			}
			for file, text := range map[string]string{"python3.12": "interpreter", "cached.py": "cached", "lib/os.py": "library"} {
				data, err := os.ReadFile(filepath.Join(outside, file))
				require.NoError(t, err)
				require.Equal(t, text, string(data), file)
			}
			require.NoFileExists(t, filepath.Join(outside, "evil"))
			require.NoFileExists(t, filepath.Join(filepath.Dir(dir), "x"))
		})
	}
}

// TestHostileMarks checks that a file that a wheel has installed under the name of a marker file is replaced.
func TestHostileMarks(t *testing.T) {
	for _, name := range []string{".own", ".third-party"} {
		dir, outside := madeUp(t)
		require.NoError(t, os.Link(filepath.Join(outside, "cached.py"), filepath.Join(dir, name)))
		require.NoError(t, mark(dir, name, "value"))
		require.True(t, isMarked(dir, name, "value"))
		data, err := os.ReadFile(filepath.Join(outside, "cached.py"))
		require.NoError(t, err)
		require.Equal(t, "cached", string(data))
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		require.NoError(t, os.Symlink(filepath.Join(outside, "cached.py"), filepath.Join(dir, name)))
		require.Error(t, mark(dir, name, "value"))
	}
}
