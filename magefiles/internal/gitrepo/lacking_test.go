package gitrepo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// lacks are what is lacking, as "path: why".
func lacks(t *testing.T, repo *gitrepo.Repo, packed ...string) []string {
	t.Helper()
	found, err := repo.Lacking(t.Context(), packed, nil)
	require.NoError(t, err)
	return said(found)
}

func said(found []gitrepo.Lack) []string {
	out := []string{}
	for _, l := range found {
		out = append(out, l.Path+": "+l.Why)
	}
	return out
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

// What stands in place of a file, and what is not there, is named; what is a change for git is git's to tell.
func TestLacking(t *testing.T) {
	t.Parallel()
	const pointer = "is the pointer of a file that Git LFS keeps, and not the file"
	for _, c := range []struct {
		name string
		do   func(dir string, git func(args ...string) string)
		want []string
	}{
		{"nothing", func(string, func(...string) string) {}, nil},
		{
			name: "a pointer with its attribute",
			do: func(dir string, git func(...string) string) {
				write(t, dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
				write(t, dir, "pkg/data/model.bin", lfsPointer)
			},
			want: []string{"pkg/data/model.bin: " + pointer},
		},
		{
			name: "a pointer whose attribute got lost",
			do: func(dir string, git func(...string) string) {
				write(t, dir, "pkg/ü b.bin", lfsPointer)
			},
			want: []string{"pkg/ü b.bin: " + pointer},
		},
		{
			name: "a pointer that is meant",
			do: func(dir string, git func(...string) string) {
				write(t, dir, "pkg/.gitattributes", "fixture -filter\n")
				write(t, dir, "pkg/fixture", lfsPointer)
			},
			want: nil,
		},
		{"a pointer elsewhere", func(dir string, git func(...string) string) { write(t, dir, "docs/x.png", lfsPointer) }, nil},
		{
			name: "a text about pointers",
			do: func(dir string, git func(...string) string) {
				write(t, dir, "pkg/README", "The first line is\n"+lfsPointer)
			},
			want: nil,
		},
		{
			name: "git-crypt",
			do: func(dir string, git func(...string) string) {
				write(t, dir, ".gitattributes", "secret filter=git-crypt diff=git-crypt\n")
				write(t, dir, "pkg/secret", "\x00GITCRYPT\x00"+strings.Repeat("x", 5000))
			},
			want: []string{"pkg/secret: is encrypted by git-crypt"},
		},
		{
			name: "git-annex",
			do: func(dir string, git func(...string) string) {
				write(t, dir, "pkg/pointer", "/annex/objects/SHA256E-s1--e3b0c44298fc1c149afbf4c8996fb924.bin\n")
				require.NoError(t, os.Symlink("../.git/annex/objects/aa/bb/SHA256E-s1--x.bin/SHA256E-s1--x.bin", filepath.Join(dir, "pkg", "link")))
				require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "pkg", "dangling")))
			},
			want: []string{"pkg/link: is a link to a file that git-annex keeps, and that is not here", "pkg/pointer: is the pointer of a file that git-annex keeps, and not the file"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := open(t)
			write(t, dir, "pkg/a.py", "a = 1\n")
			write(t, dir, "pkgs/a.py", "a = 1\n")
			c.do(dir, git)
			git("-c", "filter.lfs.clean=cat", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false", "add", "-A")
			require.Equal(t, append([]string{}, c.want...), lacks(t, repo, "pkg"))
		})
	}
}

// Files that git was told not to look at, or left out.
func TestLackingUnseen(t *testing.T) {
	t.Parallel()
	repo, dir, git := open(t)
	for _, name := range []string{"pkg/a", "pkg/b", "pkg/c", "pkg/deep/d", "other/e"} {
		write(t, dir, name, name)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	git("update-index", "--assume-unchanged", "pkg/a")
	git("update-index", "--skip-worktree", "pkg/b", "pkg/c")
	require.Empty(t, lacks(t, repo, "pkg"), "they are what is committed")
	write(t, dir, "pkg/a", "A")
	write(t, dir, "pkg/b", "B")
	require.Empty(t, git("status", "--porcelain"))
	const changed = "is changed, and git was told not to look (assume-unchanged or skip-worktree)"
	require.Equal(t, []string{"pkg/a: " + changed, "pkg/b: " + changed}, lacks(t, repo, "pkg", "other"))

	repo, dir, git = open(t)
	for _, name := range []string{"pkg/a", "pkg/deep/d", "other/e", "pkg/pixi.toml", "other/pixi.toml"} {
		write(t, dir, name, name)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	git("sparse-checkout", "set", "--no-cone", "/*", "!/pkg/deep/", "!/other/")
	const out = "is left out of this work tree (a sparse checkout)"
	require.Equal(t, []string{"pkg/deep/d: " + out}, lacks(t, repo, "pkg"))
	require.Equal(t, []string{"other/e: " + out, "other/pixi.toml: " + out, "pkg/deep/d: " + out}, lacks(t, repo, "."))
	absent, err := repo.LeftOut(t.Context(), "pixi.toml")
	require.NoError(t, err)
	require.Equal(t, []string{"other/pixi.toml"}, absent)

	// A clone of ours is whole.
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, repo.CloneAt(t.Context(), clone, git("rev-parse", "HEAD")))
	require.FileExists(t, filepath.Join(clone, "pkg", "deep", "d"))
}

// withSubmodules is a repository with a submodule in a package, which has one itself, and one beside the package.
type withSubmodules struct {
	t       *testing.T
	base    string
	run     command.Runner
	dir     string
	repo    *gitrepo.Repo
	address map[string]string // where the submodules come from
}

func (w *withSubmodules) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := command.Output(w.t.Context(), w.run, command.Cmd{Name: "git", Args: append([]string{"-c", "protocol.file.allow=always"}, args...), Dir: dir})
	require.NoError(w.t, err, "%v", args)
	return out
}

func (w *withSubmodules) make(name string) string {
	dir := filepath.Join(w.base, name)
	write(w.t, dir, "file.py", name+" = 1\n")
	w.git(dir, "init", "-q", "-b", "main")
	w.git(dir, "add", "-A")
	w.git(dir, "commit", "-q", "-m", "feat: "+name)
	return dir
}

func newSubmodules(t *testing.T) *withSubmodules {
	dir, run := newRepo(t)
	w := &withSubmodules{t: t, base: t.TempDir(), run: run, dir: dir, address: map[string]string{}}
	inner, lib, docs := w.make("inner"), w.make("lib"), w.make("docs")
	w.git(lib, "submodule", "--quiet", "add", inner, "deep/inner")
	w.git(lib, "commit", "-q", "-m", "feat: inner")
	write(t, dir, "pkg/pixi.toml", "")
	w.git(dir, "submodule", "--quiet", "add", lib, "pkg/src/lib")
	w.git(dir, "submodule", "--quiet", "add", "--name", "a theme", docs, "docs")
	w.git(dir, "submodule", "--quiet", "update", "--init", "--recursive")
	w.git(dir, "add", "-A")
	w.git(dir, "commit", "-q", "-m", "feat: submodules")
	var err error
	w.repo, err = gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	return w
}

func (w *withSubmodules) clone() (string, *gitrepo.Repo) {
	w.t.Helper()
	dir, err := filepath.EvalSymlinks(w.t.TempDir())
	require.NoError(w.t, err)
	dir = filepath.Join(dir, "clone")
	require.NoError(w.t, w.repo.CloneAt(w.t.Context(), dir, w.git(w.dir, "rev-parse", "HEAD")))
	repo, err := gitrepo.Open(w.t.Context(), w.run, dir)
	require.NoError(w.t, err)
	return dir, repo
}

func (w *withSubmodules) without(file string) {
	require.NoError(w.t, os.RemoveAll(file))
}

const notHere = "is a submodule, and its files are not here"

// A clone of ours has the submodules that its original has, whatever has become of where they came from.
func TestCloneHasSubmodules(t *testing.T) {
	t.Parallel()
	w := newSubmodules(t)
	for _, name := range []string{"lib", "inner", "docs"} {
		w.without(filepath.Join(w.base, name))
	}
	require.Empty(t, lacks(t, w.repo, "pkg"))
	dir, repo := w.clone()
	for _, file := range []string{"pkg/src/lib/file.py", "pkg/src/lib/deep/inner/file.py", "docs/file.py"} {
		require.FileExists(t, filepath.Join(dir, file))
	}
	require.Empty(t, lacks(t, repo, "."))
	require.Empty(t, w.git(dir, "status", "--porcelain"))

	// And so has a clone of the clone.
	w.repo, w.dir = repo, dir
	again, repo := w.clone()
	require.FileExists(t, filepath.Join(again, "pkg/src/lib/deep/inner/file.py"))
	require.Empty(t, lacks(t, repo, "."))
}

// The work tree's own submodules do not matter, but what is recorded of them: another commit, changes, one that was put away.
func TestCloneHasSubmodulesAsRecorded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		do     func(w *withSubmodules)
		differ []string
	}{
		{
			name: "another commit",
			do: func(w *withSubmodules) {
				write(t, w.dir, "pkg/src/lib/new.py", "x")
				w.git(w.dir+"/pkg/src/lib", "add", "-A")
				w.git(w.dir+"/pkg/src/lib", "commit", "-q", "-m", "feat: not recorded")
			},
			differ: []string{"pkg/src/lib: is a submodule at another commit than the one that is committed here"},
		},
		{"an older commit", func(w *withSubmodules) { w.git(w.dir+"/pkg/src/lib", "checkout", "-q", "HEAD^") }, []string{"pkg/src/lib: is a submodule at another commit than the one that is committed here"}},
		{"changes", func(w *withSubmodules) { write(t, w.dir, "pkg/src/lib/file.py", "changed") }, []string{"pkg/src/lib: is a submodule with changes that are not committed there"}},
		{
			name: "new files that the configuration hides",
			do: func(w *withSubmodules) {
				w.git(w.dir, "config", "submodule.pkg/src/lib.ignore", "all")
				write(t, w.dir, "pkg/src/lib/new.py", "x")
			},
			differ: []string{"pkg/src/lib: is a submodule with changes that are not committed there"},
		},
		{"put away", func(w *withSubmodules) { w.git(w.dir, "submodule", "--quiet", "deinit", "--all") }, []string{"pkg/src/lib: " + notHere}},
		{
			name: "the innermost put away",
			do: func(w *withSubmodules) {
				w.git(w.dir+"/pkg/src/lib", "submodule", "--quiet", "deinit", "--all")
			},
			differ: []string{"pkg/src/lib/deep/inner: " + notHere},
		},
		{
			name: "seen from a linked work tree",
			do: func(w *withSubmodules) {
				linked := filepath.Join(w.base, "linked")
				w.git(w.dir, "worktree", "add", "--quiet", "--detach", linked)
				var err error
				w.repo, err = gitrepo.Open(w.t.Context(), w.run, linked)
				require.NoError(w.t, err)
			},
			differ: []string{"pkg/src/lib: " + notHere},
		},
		{
			name: "a server that gives branches only",
			do: func(w *withSubmodules) {
				w.git(w.dir, "config", "--add", "protocol.version", "0")
				w.git(w.dir+"/pkg/src/lib", "checkout", "-q", "HEAD^")
			},
			differ: []string{"pkg/src/lib: is a submodule at another commit than the one that is committed here"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newSubmodules(t)
			c.do(w)
			got := lacks(t, w.repo, "pkg")
			require.Equal(t, c.differ, got[:1])
			for _, name := range []string{"lib", "inner", "docs"} {
				w.without(filepath.Join(w.base, name))
			}
			dir, repo := w.clone()
			require.Empty(t, lacks(t, repo, "."))
			require.NoFileExists(t, filepath.Join(dir, "pkg/src/lib/new.py"))
			text, err := os.ReadFile(filepath.Join(dir, "pkg/src/lib/file.py"))
			require.NoError(t, err)
			require.Equal(t, "lib = 1\n", string(text))
			require.FileExists(t, filepath.Join(dir, "pkg/src/lib/deep/inner/file.py"))
		})
	}
}

// What this machine does not have is fetched from its address, if it is needed; else it is refused by name, with the reason.
func TestComplete(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) (*withSubmodules, *gitrepo.Repo, string) {
		w := newSubmodules(t)
		other := filepath.Join(w.base, "other")
		w.git(w.base, "clone", "-q", w.dir, other)
		var err error
		w.repo, err = gitrepo.Open(t.Context(), w.run, other)
		require.NoError(t, err)
		w.dir = other
		dir, repo := w.clone()
		require.Equal(t, []string{"docs: " + notHere, "pkg/src/lib: " + notHere}, lacks(t, repo, "."))
		return w, repo, dir
	}
	t.Run("a file is no address", func(t *testing.T) {
		t.Parallel()
		w, repo, _ := fresh(t)
		found, err := w.repo.Complete(t.Context(), repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"pkg/src/lib: " + notHere}, said(found))
		require.Contains(t, found[0].Detail, "transport 'file' not allowed")
		require.Contains(t, found[0].Next, "git submodule update --init --recursive pkg/src/lib")
	})
	t.Run("one that is allowed", func(t *testing.T) {
		t.Parallel()
		w, repo, dir := fresh(t)
		w.git(w.dir, "config", "protocol.file.allow", "always")
		w.git(dir, "config", "protocol.file.allow", "always")
		allowed := command.NewSystem(command.Setenv(w.run.(*command.System).Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always"), nil)
		var err error
		w.repo, err = gitrepo.Open(t.Context(), allowed, w.dir)
		require.NoError(t, err)
		found, err := w.repo.Complete(t.Context(), repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		require.FileExists(t, filepath.Join(dir, "pkg/src/lib/deep/inner/file.py"))
		require.NoFileExists(t, filepath.Join(dir, "docs/file.py"), "nothing asks for it")
		require.Empty(t, lacks(t, repo, "pkg/src/lib/deep"), "a source folder in a submodule")
	})
	t.Run("it is gone", func(t *testing.T) {
		t.Parallel()
		w, repo, dir := fresh(t)
		w.without(filepath.Join(w.base, "lib"))
		found, err := w.repo.Complete(t.Context(), repo, nil, []string{"pkg/src/lib/sub"})
		require.NoError(t, err)
		require.Equal(t, []string{"pkg/src/lib: " + notHere}, said(found))
		require.NotEmpty(t, found[0].Detail)
		entries, err := os.ReadDir(filepath.Join(dir, "pkg/src/lib"))
		require.NoError(t, err)
		require.Empty(t, entries, "it stays an empty folder")
	})
	t.Run("no address", func(t *testing.T) {
		t.Parallel()
		w, repo, _ := fresh(t)
		require.NoError(t, os.Remove(filepath.Join(repo.Top, ".gitmodules")))
		found, err := w.repo.Complete(t.Context(), repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Contains(t, found[0].Detail, ".gitmodules has no address for it")
	})
}

// Before a release begins it is known what a clone of it could not get: what this machine has can be had, whatever the address.
func TestUnobtainable(t *testing.T) {
	t.Parallel()
	w := newSubmodules(t)
	ask := func() []string {
		found, err := w.repo.Lacking(t.Context(), []string{"pkg"}, []string{"docs"})
		require.NoError(t, err)
		out := []string{}
		for _, l := range w.repo.Unobtainable(t.Context(), found) {
			require.NotEmpty(t, l.Detail)
			out = append(out, l.Path)
		}
		return out
	}
	for _, name := range []string{"lib", "docs"} {
		w.without(filepath.Join(w.base, name))
	}
	require.Empty(t, ask(), "they are checked out")
	w.git(w.dir, "submodule", "--quiet", "deinit", "--all")
	require.Empty(t, ask(), "git keeps them")
	w.without(filepath.Join(w.repo.Dir, "modules", "a theme"))
	require.Equal(t, []string{"docs"}, ask())
	w.without(filepath.Join(w.repo.Dir, "modules"))
	w.without(filepath.Join(w.dir, ".gitmodules"))
	require.Equal(t, []string{"docs", "pkg/src/lib"}, ask())
}

// Relative addresses are those of a neighbor.
func TestRelativeAddress(t *testing.T) {
	for _, c := range [][3]string{
		{"https://host/org/repo.git", "../lib.git", "https://host/org/lib.git"},
		{"https://host/org/repo.git/", "../../other/lib", "https://host/other/lib"},
		{"git@host:org/repo.git", "../lib.git", "git@host:org/lib.git"},
		{"git@host:repo.git", "../lib.git", "git@host:lib.git"},
		{"/srv/repo", "./lib", "/srv/repo/lib"},
		{"/srv/repo", "https://host/lib", "https://host/lib"},
		{"", "../lib", ""},
	} {
		require.Equal(t, c[2], gitrepo.RelativeTo(c[0], c[1]), c)
	}
}

// A hook that would run in a check-out does not.
func TestSubmodulesRunNoHooks(t *testing.T) {
	t.Parallel()
	w := newSubmodules(t)
	hooks, ran := filepath.Join(w.base, "hooks"), filepath.Join(w.base, "ran")
	for _, name := range []string{"post-checkout", "reference-transaction"} {
		write(t, hooks, name, "#!/bin/sh\ncase $(pwd) in */pkg/*) echo $0 >> "+ran+";; esac\n")
		require.NoError(t, os.Chmod(filepath.Join(hooks, name), 0o755))
	}
	hooked := command.NewSystem(command.Setenv(w.run.(*command.System).Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0="+hooks), nil)
	var err error
	w.repo, err = gitrepo.Open(t.Context(), hooked, w.dir)
	require.NoError(t, err)
	dir, _ := w.clone()
	require.FileExists(t, filepath.Join(dir, "pkg/src/lib/file.py"))
	require.NoFileExists(t, ran)
}

// A filter that only this clone knows works in clones of it; one that fails stops with git's words, before anything is used.
func TestCloneHasFilters(t *testing.T) {
	t.Parallel()
	repo, dir, git := open(t)
	git("config", "filter.shout.smudge", "tr a-z A-Z")
	git("config", "filter.shout.clean", "tr A-Z a-z")
	git("config", "filter.git-crypt.smudge", "git-crypt smudge")
	git("config", "filter.git-crypt.required", "true")
	write(t, dir, ".gitattributes", "*.up filter=shout\n*.sub export-subst\n*.no export-ignore\n")
	write(t, dir, "pkg/x.up", "abc\n")
	write(t, dir, "pkg/x.sub", "$Format:%H$\n")
	write(t, dir, "pkg/x.no", "kept\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: filters")
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, repo.CloneAt(t.Context(), clone, git("rev-parse", "HEAD")))
	require.Equal(t, "ABC\n", files(t, filepath.Join(clone, "pkg"))["x.up"])
	require.Equal(t, "$Format:%H$\n", files(t, filepath.Join(clone, "pkg"))["x.sub"])
	require.Contains(t, files(t, filepath.Join(clone, "pkg")), "x.no")
	require.Empty(t, command1(t, clone, "status", "--porcelain"))
	require.Empty(t, command1(t, clone, "config", "--get-regexp", "git-crypt", "."))

	git("config", "filter.shout.smudge", "no-such-program-here")
	git("config", "filter.shout.required", "true")
	err := repo.CloneAt(t.Context(), filepath.Join(t.TempDir(), "clone"), git("rev-parse", "HEAD"))
	require.Error(t, err)
}

// command1 is what git says, whatever its exit status.
func command1(t *testing.T, dir string, args ...string) string {
	out, _ := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: "git", Args: args, Dir: dir})
	return out
}

// The cost of looking at a large package.
func BenchmarkLacking(b *testing.B) {
	dir := b.TempDir()
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull), nil)
	for i := range 3000 {
		name := filepath.Join(dir, "pkg", fmt.Sprint(i%50), fmt.Sprint(i)+".py")
		require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(b, os.WriteFile(name, []byte("x = 1\n"), 0o644))
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(b, run.Run(b.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	repo, err := gitrepo.Open(b.Context(), run, dir)
	require.NoError(b, err)
	for b.Loop() {
		_, err := repo.Lacking(b.Context(), []string{"pkg"}, nil)
		require.NoError(b, err)
	}
}
