package gomodule_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gomodule"
)

// tree writes the files of an archive to a new folder.
func tree(t *testing.T, archive string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Data, 0o644))
	}
	return root
}

const lib = "-- lib/lib.go --\npackage lib\n"

// cases lists repositories, the new tags in each, and the tags that Go will reject. All modules are in example.org/x.git, so that the results can be
// compared with the real go command.
var cases = map[string]struct {
	tree    string
	tags    string // separated by spaces
	refused string
	want    string // required module path, or "" if no tag is rejected
}{
	"major 0 and 1":                     {"-- go.mod --\nmodule example.org/x.git\n" + lib, "v0.9.0 v1.0.0", "", ""},
	"major 2":                           {"-- go.mod --\nmodule example.org/x.git\n" + lib, "v1.9.0 v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"major 2 in the path":               {"-- go.mod --\nmodule example.org/x.git/v2\n" + lib, "v2.0.0 v2.1.0", "", ""},
	"major 3 after 2":                   {"-- go.mod --\nmodule example.org/x.git/v2\n" + lib, "v2.3.0 v3.0.0", "v3.0.0", "example.org/x.git/v3"},
	"major 10":                          {"-- go.mod --\nmodule example.org/x.git/v10\n" + lib, "v10.0.0 v1.0.0 v11.0.0", "v11.0.0", "example.org/x.git/v11"},
	"a calendar version":                {"-- go.mod --\nmodule example.org/x.git\n" + lib, "v2026.11.0", "v2026.11.0", "example.org/x.git/v2026"},
	"a pre-release":                     {"-- go.mod --\nmodule example.org/x.git\n" + lib, "v2.0.0-rc.1 v2.0.0rc1 v2.0 v2 v02.0.0", "v2.0.0-rc.1", "example.org/x.git/v2"},
	"names with other prefixes":         {"-- go.mod --\nmodule example.org/x.git\n" + lib, "name-v2.0.0 sub/v2.0.0 name/2.0.0 2.0.0", "", ""},
	"a module in a folder":              {"-- sub/go.mod --\nmodule example.org/x.git/sub\n-- sub/sub.go --\npackage sub\n", "v2.0.0 sub/v2.0.0 sub/v1.0.0 other/v2.0.0", "sub/v2.0.0", "example.org/x.git/sub/v2"},
	"a folder's, and the root's":        {"-- go.mod --\nmodule example.org/x.git\n-- sub/go.mod --\nmodule example.org/x.git/sub\n-- sub/sub.go --\npackage sub\n" + lib, "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"the new major version in a folder": {"-- go.mod --\nmodule example.org/x.git\n" + lib + "-- v2/go.mod --\nmodule example.org/x.git/v2\n-- v2/lib/lib.go --\npackage lib\n", "v1.5.0 v2.0.0", "", ""},
	"no module":                         {lib, "v2.0.0", "", ""},
	"a quoted path, in a block":         {"-- go.mod --\n// the module\nmodule ( // here\n\t\"example.org/x.git\"\n)\n" + lib, "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"a comment on the module line":      {"-- go.mod --\n// module example.org/other\nmodule `example.org/x.git` // Deprecated: use y\ngo 1.20\n" + lib, "v3.0.0", "v3.0.0", "example.org/x.git/v3"},
	"a package at the module":           {"-- go.mod --\nmodule example.org/x.git\n-- x.go --\n// Package x is.\npackage x\n", "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"a package for another platform":    {"-- go.mod --\nmodule example.org/x.git\n-- lib/lib.go --\n//go:build windows && !arm64\n\npackage lib\n", "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"a command and a library":           {"-- go.mod --\nmodule example.org/x.git\n-- main.go --\npackage main\n-- pkg/deep/d.go --\n/* c */ package deep\n", "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
	"a byte order mark, in a lib":       {"-- go.mod --\nmodule example.org/x.git\n-- lib/lib.go --\n\ufeffpackage lib\n", "v2.0.0", "v2.0.0", "example.org/x.git/v2"},
}

func TestUnusable(t *testing.T) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := gomodule.Unusable(tree(t, c.tree), strings.Fields(c.tags))
			require.NoError(t, err)
			var refused []string
			for _, tag := range found {
				refused = append(refused, tag.Name)
				require.Equal(t, c.want, tag.Want)
			}
			require.Equal(t, c.refused, strings.Join(refused, " "))
		})
	}
}

// Modules that nobody can import are ignored. Repositories have them for their own commands.
func TestModulesThatNobodyImports(t *testing.T) {
	const mod = "-- go.mod --\nmodule example.org/x\n"
	for name, files := range map[string]string{
		"a magefile":                mod + "-- magefiles/magefile.go --\n//go:build mage\n\npackage main\n",
		"internal packages":         mod + "-- magefiles/magefile.go --\npackage main\n-- internal/a/a.go --\npackage a\n-- b/internal/b.go --\npackage b\n",
		"tests alone":               mod + "-- lib/lib_test.go --\npackage lib\n",
		"packages that need tags":   mod + "-- targets/t.go --\n//go:build mage\n\npackage targets\n-- tools.go --\n//go:build tools && linux\n\npackage tools\n",
		"a package for no platform": mod + "-- lib/lib.go --\n//go:build linux && !linux\n\npackage lib\n",
		"a module in a subfolder":   mod + "-- sub/go.mod --\nmodule example.org/x/sub\n-- sub/sub.go --\npackage sub\n",
		"folders that Go ignores":   mod + "-- testdata/a.go --\npackage a\n-- _old/a.go --\npackage a\n-- .x/a.go --\npackage a\n-- vendor/y/a.go --\npackage a\n-- lib/_a.go --\npackage a\n-- lib/.a.go --\npackage a\n",
		"a folder with a blank":     mod + "-- my lib/a.go --\npackage a\n",
		"documentation":             mod + "-- doc.go --\npackage documentation\n",
		"not Go":                    mod + "-- lib/a.go --\nthis is not Go\n-- lib/b.go --\n// package b\n",
		"a path without a host":     "-- go.mod --\nmodule tools/release\n" + lib,
		"no package at all":         mod,
		"a path without anything":   "-- go.mod --\nmodule pipeline\n" + lib,
	} {
		t.Run(name, func(t *testing.T) {
			found, err := gomodule.Unusable(tree(t, files), []string{"v2.0.0", "v3.1.0"})
			require.NoError(t, err)
			require.Empty(t, found)
		})
	}
}

func TestGopkg(t *testing.T) {
	root := tree(t, "-- go.mod --\nmodule gopkg.in/x/yaml.v3\n"+lib)
	found, err := gomodule.Unusable(root, []string{"v3.0.0", "v4.0.0"})
	require.NoError(t, err)
	require.Equal(t, []gomodule.Tag{{Name: "v4.0.0", File: "go.mod", Module: "gopkg.in/x/yaml.v3", Want: "gopkg.in/x/yaml.v4", Package: "gopkg.in/x/yaml.v3/lib"}}, found)
}

func TestUnreadableModules(t *testing.T) {
	for name, files := range map[string]string{
		"empty":       "-- go.mod --\n",
		"no module":   "-- go.mod --\ngo 1.26\nrequire example.org/module v1.0.0\n",
		"a folder":    "-- go.mod/x --\n",
		"an old path": "-- go.mod --\nmodule example.org/x\n-- v2/go.mod --\nnothing\n" + lib,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gomodule.Unusable(tree(t, files), []string{"v2.0.0"})
			require.ErrorContains(t, err, "go.mod")
			_, err = gomodule.Unusable(tree(t, files), []string{"v1.0.0"})
			require.NoError(t, err, "go.mod is not read if the tag cannot be wrong")
		})
	}
}

func TestWarningsAboutTags(t *testing.T) {
	found, err := gomodule.Unusable(tree(t, "-- sub/go.mod --\nmodule example.org/x/sub\n-- sub/a/a.go --\npackage a\n"), []string{"sub/v2.0.0"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "Go modules that import example.org/x/sub/a cannot use the tag sub/v2.0.0, because sub/go.mod does not declare the module example.org/x/sub/v2: "+
		"`go get example.org/x/sub@v2.0.0` fails. They can use a commit: `go get example.org/x/sub@COMMIT`", found[0].String())
}

// The real go command agrees about each tag. If it rejects a tag, it accepts the commit.
func TestAgreesWithGo(t *testing.T) {
	for name, c := range cases {
		if !strings.Contains(c.tree, "go.mod") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := tree(t, c.tree)
			run(t, repo, nil, "git", "init", "-q")
			run(t, repo, nil, "git", "add", "-A")
			run(t, repo, nil, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")
			found, err := gomodule.Unusable(repo, strings.Fields(c.tags))
			require.NoError(t, err)
			asked := asker(t, repo)
			for _, tag := range found {
				run(t, repo, nil, "git", "tag", tag.Name)
				version := tag.Name[strings.LastIndex(tag.Name, "/")+1:]
				out, ok := asked(tag.Module + "@" + version)
				require.False(t, ok, out)
				out, ok = asked(tag.Module + "@" + run(t, repo, nil, "git", "rev-parse", "HEAD"))
				require.True(t, ok, "%s: %s", tag.Module, out)
			}
		})
	}
	t.Run("a tag that fits", func(t *testing.T) {
		for _, name := range []string{"major 2 in the path", "the new major version in a folder"} {
			repo := tree(t, cases[name].tree)
			run(t, repo, nil, "git", "init", "-q")
			run(t, repo, nil, "git", "add", "-A")
			run(t, repo, nil, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")
			run(t, repo, nil, "git", "tag", "v2.0.0")
			out, ok := asker(t, repo)("example.org/x.git/v2@v2.0.0")
			require.True(t, ok, out)
		}
	})
}

// asker returns a function that runs the real go command to look up a version of a module in a local repository.
func asker(t *testing.T, repo string) func(query string) (string, bool) {
	home, user := t.TempDir(), tree(t, "-- go.mod --\nmodule user\n\ngo 1.20\n")
	env := []string{
		"GOPATH=" + home, "GOMODCACHE=" + filepath.Join(home, "mod"), "GOFLAGS=-modcacherw", "GOPROXY=direct", "GOPRIVATE=example.org", "GOTOOLCHAIN=local",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + filepath.ToSlash(repo) + ".insteadOf", "GIT_CONFIG_VALUE_0=https://example.org/x",
	}
	return func(query string) (string, bool) {
		cmd := exec.Command("go", "list", "-m", query)
		cmd.Dir, cmd.Env = user, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

// BuiltAs returns "devel" for a module that is not part of the program.
func TestBuiltAs(t *testing.T) {
	require.Equal(t, "devel", gomodule.BuiltAs("example.org/other"))
}

// A go.mod that is a pipe, which never ends, is an error.
func TestAModuleFileIsAFile(t *testing.T) {
	top := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(top, "go.mod"), 0o644))
	_, err := gomodule.Unusable(top, []string{"v2.0.0"})
	require.ErrorContains(t, err, "reading go.mod")
}
