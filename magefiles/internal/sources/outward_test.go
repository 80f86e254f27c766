package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// If a package contains a file from outside the commit because of a symlink, the error names the link. For a build of the work tree, a message is
// printed.
func TestLinksThatLeadOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		links   map[string]string // link targets; OUT stands for a folder outside of the repository, TOP for the work tree
		packed  []string
		refused string // name of the rejected link
	}{
		{"a file", map[string]string{"one/src/one/key.txt": "OUT/file"}, []string{"site-packages/one/key.txt"}, "one/src/one/key.txt"},
		{"a folder", map[string]string{"one/src/one/data": "OUT"}, []string{"site-packages/one/data/file"}, "one/src/one/data"},
		{"a module of its own", map[string]string{"one/src/key.py": "OUT/file"}, []string{"site-packages/key.py"}, "one/src/key.py"},
		{"a license", map[string]string{"one/COPYING": "OUT/file"}, []string{"site-packages/one-1.0.0.dist-info/licenses/COPYING"}, "one/COPYING"},
		{"a license of an old tool", map[string]string{"one/NOTICE": "OUT/file"}, []string{"site-packages/one-1.0.0.dist-info/NOTICE"}, "one/NOTICE"},
		{"a file of the kernel", map[string]string{"one/src/one/key.txt": "/proc/self/none"}, []string{"site-packages/one/key.txt"}, "one/src/one/key.txt"},
		{"by way of another link", map[string]string{"one/src/one/key.txt": "../../../two/there", "two/there": "OUT/file"}, []string{"site-packages/one/key.txt"}, "one/src/one/key.txt"},
		{"in a folder that a link leads to", map[string]string{"one/src/one/lib": "../../../shared", "shared/key.txt": "OUT/file"}, []string{"site-packages/one/lib/key.txt"}, "one/src/one/lib/key.txt"},
		{"the work tree by its full path", map[string]string{"one/src/one/key.txt": "TOP/two/pixi.toml"}, []string{"site-packages/one/key.txt"}, "one/src/one/key.txt"},
		{"a link that is not packed", map[string]string{"one/tests/key.txt": "OUT/file"}, []string{"site-packages/one/__init__.py"}, ""},
		{"a link of another package", map[string]string{"two/src/two/key.txt": "OUT/file"}, []string{"site-packages/one/key.txt"}, ""},
		{"a link that leads nowhere", map[string]string{"one/src/one/key.txt": "OUT/none"}, []string{"site-packages/one/key.txt"}, ""},
		{"a link that leads to itself", map[string]string{"one/src/one/again": ".", "one/src/one/key.txt": "key.txt"}, []string{"site-packages/one/key.txt"}, ""},
		{"a link inside the repository", map[string]string{"one/src/one/key.txt": "../../../two/pixi.toml"}, []string{"site-packages/one/key.txt"}, ""},
	} {
		for _, prefix := range []string{"", "some/where"} {
			t.Run(c.name+" "+prefix, func(t *testing.T) {
				t.Parallel()
				outside := t.TempDir()
				write(t, filepath.Join(outside, "file"), "secret")
				r := newRepository(t, prefix)
				for name, leads := range c.links {
					leads = strings.NewReplacer("OUT", outside, "TOP", r.root()).Replace(leads)
					file := filepath.Join(r.root(), name)
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, os.Symlink(leads, file))
				}
				r.commit()
				p := condapkgtest.Package{Name: "one", Version: "1.0.0", Files: map[string]string{}}
				for _, name := range c.packed {
					p.Files[name] = "x"
				}
				archives := []string{p.Write(t, t.TempDir())}
				_, done, err := take(t, r.committed(), "one")
				require.NoError(t, err)
				err = done(archives, nil)
				_, done, treeErr := take(t, r.sources().WorkTree(), "one")
				require.NoError(t, treeErr)
				require.NoError(t, done(archives, nil))
				if c.refused == "" {
					require.NoError(t, err)
					require.Empty(t, r.told)
					return
				}
				require.ErrorContains(t, err, c.refused+" is a link to that place, but a package must contain only committed files")
				require.Contains(t, operr.NextOf(err), "replace the link by the files")
				require.Len(t, r.told, 1)
				require.Contains(t, r.told[0], c.refused+" is a link to that place; release and publish refuse this package")
			})
		}
	}
}

// A cache in the work tree, as in CI jobs, is never part of the sources, no matter how often they are built.
func TestCacheInTheWorkTree(t *testing.T) {
	t.Parallel()
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, c.prefix)
			c.do(r)
			want := files(t, r.top)
			r.cache = filepath.Join(r.top, ".cache/pixi-release/sources")
			for range 4 {
				root, done, err := take(t, r.sources().WorkTree(), "one")
				require.NoError(t, err)
				require.Equal(t, want, files(t, strings.TrimSuffix(strings.TrimSuffix(root, c.prefix), "/")))
				require.NoError(t, done(nil, nil))
			}
		})
	}
}

// Package names cannot collide with our folders, whose names start with a dot.
func TestBuildFoldersAreNotPackages(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	for _, name := range []string{"_spare0", "_all"} {
		r.write(name+"/pixi.toml", "[package]\nname = \""+name+"\"\nversion = \"1.0.0\"\n[package.build.backend]\nname = \"pixi-build-python\"\nversion = \"*\"\n")
		r.write(name+"/pyproject.toml", "[project]\nname = \"x"+name+"\"\nversion = \"1.0.0\"\n")
	}
	r.commit()
	s := r.sources().WorkTree()
	_, held, err := take(t, s, "_spare0")
	require.NoError(t, err)
	_, both, err := take(t, s, "one", "two")
	require.NoError(t, err)
	_, all, err := take(t, s, "_all")
	require.NoError(t, err)
	require.Empty(t, r.told, "no build waits for another")
	for _, done := range []func([]string, error) error{all, both, held} {
		require.NoError(t, done(nil, nil))
	}
	locks, err := filepath.Glob(filepath.Join(r.cache, "*", "_spare0", "*"))
	require.NoError(t, err)
	require.Len(t, locks, 1, "the lock, and nothing else")
}
