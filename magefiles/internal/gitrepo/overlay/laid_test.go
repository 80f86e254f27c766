package overlay_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/overlay"
)

// over clones the repository, copies the uncommitted changes to the clone, and returns the clone.
func over(l *gitrepotest.Laid) (string, error) {
	l.T.Helper()
	repo, err := gitrepo.Open(l.T.Context(), l.Run, l.Dir)
	require.NoError(l.T, err)
	head, err := repo.Head(l.T.Context())
	require.NoError(l.T, err)
	clone := filepath.Join(l.T.TempDir(), "clone")
	require.NoError(l.T, gitclone.Borrow(l.T.Context(), repo, clone, head.Commit))
	_, _, err = overlay.Lay(l.T.Context(), repo, clone, l.Also, func(name string) bool { return strings.HasPrefix(name, "left/") })
	return clone, err
}

// After Lay, the clone equals the work tree, except for ignored and skipped files, whatever was changed.
func TestLayOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *gitrepotest.Laid)
		without []string // files in the work tree that must not be copied
		and     map[string]string
	}{
		{name: "nothing", do: func(*gitrepotest.Laid) {}},
		{
			name: "changed, new and deleted files",
			do: func(l *gitrepotest.Laid) {
				l.Write("a", "changed\n")
				l.Write("new", "new\n")
				l.Write("new folder/deep/er", "new\n")
				l.Remove("d/e/c")
			},
		},
		{
			name: "renamed files, staged and not",
			do: func(l *gitrepotest.Laid) {
				l.Git("mv", "a", "moved")
				l.Rename("d/a", "elsewhere/a")
				l.Git("mv", "with space", "without")
			},
		},
		{
			name: "a name in different case",
			do: func(l *gitrepotest.Laid) {
				l.Git("mv", "a", "A")
				l.Rename("d", "D")
			},
		},
		{
			name: "modes",
			do: func(l *gitrepotest.Laid) {
				l.Chmod("a", 0o755)
				l.Chmod("b", 0o644)
				l.Write("new", "#!/bin/sh\n")
				l.Chmod("new", 0o700)
				l.Write("read only", "r\n")
				l.Chmod("read only", 0o444)
			},
		},
		{
			name: "links",
			do: func(l *gitrepotest.Laid) {
				l.Remove("link")
				l.Link("b", "link")
				l.Link("d/e", "new folder")
				l.Link("not there/at all", "new dangling")
				l.Link("/etc/hostname", "absolute")
				l.Link("../..", "d/up")
				l.Remove("dangling")
			},
		},
		{
			name: "a file becomes a folder, a folder a file",
			do: func(l *gitrepotest.Laid) {
				l.Remove("a")
				l.Write("a/in/it", "x\n")
				l.Remove("d")
				l.Write("d", "a file\n")
			},
		},
		{
			name: "the same, staged",
			do: func(l *gitrepotest.Laid) {
				l.Remove("a")
				l.Write("a/in/it", "x\n")
				l.Remove("d")
				l.Write("d", "a file\n")
				l.Git("add", "-A")
			},
		},
		{
			name: "links become folders, and folders links",
			do: func(l *gitrepotest.Laid) {
				l.Remove("outside")
				l.Write("outside/theirs", "mine\n")
				l.Remove("folder")
				l.Write("folder/a", "mine\n")
				l.Remove("d")
				l.Link(l.Out, "d")
				l.Remove("with space")
				l.Link("pkg", "with space")
			},
		},
		{
			name: "the same, staged",
			do: func(l *gitrepotest.Laid) {
				l.Remove("outside")
				l.Write("outside/theirs", "mine\n")
				l.Remove("d")
				l.Link(l.Out, "d")
				l.Git("add", "-A")
			},
		},
		{
			name: "a folder becomes an ignored link to a folder with the same files",
			do: func(l *gitrepotest.Laid) {
				gitrepotest.Write(l.T, l.Out, "a", "not of the repository\n")
				l.Remove("d")
				l.Link(l.Out, "d")
				l.Write(".gitignore", "*.log\n/d\n")
			},
			without: []string{"d"},
		},
		{
			name: "a link becomes a file, and a file a link",
			do: func(l *gitrepotest.Laid) {
				l.Remove("outside")
				l.Write("outside", "a file\n")
				l.Remove("a")
				l.Link(filepath.Join(l.Out, "theirs"), "a")
				l.Write("through", "t\n")
			},
		},
		{
			name: "names",
			do: func(l *gitrepotest.Laid) {
				for _, name := range []string{"a b", "-dash", "--", "new\nline", `quo"te`, "back\\slash", "ünï/ç", "tab\t", ":(top)x", "*", "[a]", "#x", "!y", "\xff\xfe", " ", "d/ e "} {
					l.Write(name, name)
				}
				l.Write("with space/ü", "changed\n")
			},
		},
		{
			name: "staged and changed back, and changed again",
			do: func(l *gitrepotest.Laid) {
				l.Write("a", "staged\n")
				l.Git("add", "a")
				l.Write("a", "a\n")
				l.Write("b", "staged\n")
				l.Git("add", "b")
				l.Write("b", "once more\n")
				l.Write("new", "staged\n")
				l.Git("add", "new")
				l.Remove("new")
			},
		},
		{
			name: "only staged",
			do: func(l *gitrepotest.Laid) {
				l.Write("a", "staged\n")
				l.Write("new", "staged\n")
				l.Git("rm", "-q", "d/a")
				l.Git("add", "-A")
			},
		},
		{
			name: "files marked with git add -N",
			do: func(l *gitrepotest.Laid) {
				l.Write("new", "new\n")
				l.Git("add", "--intent-to-add", "new")
			},
		},
		{name: "no longer known to git", do: func(l *gitrepotest.Laid) { l.Git("rm", "-q", "--cached", "a", "d/a") }},
		{
			name: "untracked and ignored",
			do: func(l *gitrepotest.Laid) {
				l.Git("rm", "-q", "-r", "--cached", "d", "a")
				l.Write(".gitignore", "*.log\n/d/\n")
			},
			without: []string{"d/a", "d/b", "d/e/c"},
		},
		{
			name: "ignored",
			do: func(l *gitrepotest.Laid) {
				l.Write("some.log", "x\n")
				l.Write("deep/some.log", "x\n")
				l.Write("deep/.gitignore", "secret\n")
				l.Write("deep/secret", "x\n")
				l.Write(".git/info/exclude", "excluded\n")
				l.Write("excluded", "x\n")
			},
			without: []string{"some.log", "deep/some.log", "deep/secret", "excluded"},
		},
		{
			name: "ignored but tracked",
			do: func(l *gitrepotest.Laid) {
				l.Write("known.log", "x\n")
				l.Git("add", "-f", "known.log")
				l.Git("commit", "-q", "-m", "chore: log")
				l.Write("known.log", "changed\n")
			},
		},
		{
			name: "skipped files",
			do: func(l *gitrepotest.Laid) {
				l.Write("left/known", "x\n")
				l.Git("add", "left")
				l.Write("left/new", "x\n")
			},
			without: []string{"left/new"},
		},
		{
			name: "flags that hide changes",
			do: func(l *gitrepotest.Laid) {
				l.Git("update-index", "--assume-unchanged", "a", "d/a")
				l.Git("update-index", "--skip-worktree", "b")
				l.Write("a", "assumed\n")
				l.Remove("d/a")
				l.Write("b", "skipped\n")
				l.Chmod("b", 0o755)
			},
		},
		{
			name: "a sparse checkout",
			do: func(l *gitrepotest.Laid) {
				l.Git("sparse-checkout", "set", "--no-cone", "/*", "!/d/")
				l.Write("a", "changed\n")
				l.Write("d/b", "there all the same\n")
			},
			and: map[string]string{"d/a": "d/a\n", "d/e/c": "d/e/c\n"},
		},
		{
			name: "no special files",
			do: func(l *gitrepotest.Laid) {
				require.NoError(l.T, syscall.Mkfifo(l.At("pipe"), 0o644))
				l.Remove("a")
				require.NoError(l.T, syscall.Mkfifo(l.At("a"), 0o644))
			},
			without: []string{"pipe", "a"},
		},
		{
			name: "a file system without modes",
			do: func(l *gitrepotest.Laid) {
				l.Git("config", "core.fileMode", "no")
				l.Write("a", "changed\n")
				l.Chmod("a", 0o755)
				l.Write("b", "changed\n")
				l.Chmod("b", 0o644)
				l.Write("new", "n\n")
				l.Chmod("new", 0o777)
			},
			and: map[string]string{"a": "changed\n", "b": "x changed\n", "new": "n\n"},
		},
		{
			name: "a file system without links",
			do: func(l *gitrepotest.Laid) {
				l.Git("config", "core.symlinks", "0")
				l.Remove("link")
				l.Write("link", "b")
			},
			and: map[string]string{"link": "-> b"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			c.do(l)
			before, beside := gitrepotest.Tree(t, l.Dir), gitrepotest.Tree(t, l.Out)
			state := l.Git("status", "--porcelain")
			clone, err := over(l)
			require.NoError(t, err)
			want := maps.Clone(before)
			for _, name := range c.without {
				require.Contains(t, want, name)
				delete(want, name)
			}
			maps.Copy(want, c.and)
			require.Equal(t, want, gitrepotest.Tree(t, clone))
			require.Equal(t, before, gitrepotest.Tree(t, l.Dir), "the work tree stays as it is")
			require.Equal(t, beside, gitrepotest.Tree(t, l.Out), "nothing is written through a link")
			require.Equal(t, state, l.Git("status", "--porcelain"))
		})
	}
}

// A file with a merge conflict is copied as it is.
func TestLayOverConflicts(t *testing.T) {
	t.Parallel()
	l := gitrepotest.NewLaid(t)
	l.Git("switch", "-q", "-c", "other")
	l.Write("a", "other\n")
	l.Git("rm", "-q", "b")
	l.Write("both", "other\n")
	l.Commit()
	l.Git("switch", "-q", "main")
	l.Write("a", "main\n")
	l.Write("b", "main\n")
	l.Write("both", "main\n")
	l.Commit()
	require.Error(t, l.Run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"merge", "-q", "other"}, Dir: l.Dir}))
	clone, err := over(l)
	require.NoError(t, err)
	require.Contains(t, gitrepotest.Tree(t, clone)["a"], "<<<<<<<")
	require.Equal(t, gitrepotest.Tree(t, l.Dir), gitrepotest.Tree(t, clone))
}

// Unchanged files have their committed contents, although the user's settings changed them in the work tree. Changed files are copied as they are.
func TestLayOverLineEndsAndFilters(t *testing.T) {
	t.Parallel()
	l := gitrepotest.NewLaid(t)
	l.Write(".gitattributes", "*.bat eol=crlf\n*.raw -text\n*.case filter=case\n")
	for _, name := range []string{"unix", "x.bat", "x.raw", "edited", "x.case", "y.case"} {
		l.Write(name, "one\ntwo\n")
	}
	l.Git("config", "filter.case.clean", "tr A-Z a-z")
	l.Git("config", "filter.case.smudge", "tr a-z A-Z")
	l.Commit()
	l.Git("config", "core.autocrlf", "true")
	for _, name := range []string{"unix", "x.bat", "x.raw", "edited", "x.case", "y.case"} {
		l.Remove(name)
	}
	l.Git("checkout", "--", ".")
	require.Equal(t, "one\r\ntwo\r\n", gitrepotest.Tree(t, l.Dir)["unix"])
	l.Write("edited", "three\r\n")
	l.Write("new", "four\r\n")
	l.Write("y.case", "Five\n")
	clone, err := over(l)
	require.NoError(t, err)
	got := gitrepotest.Tree(t, clone)
	for name, want := range map[string]string{
		"unix": "one\ntwo\n", "x.bat": "one\r\ntwo\r\n", "x.raw": "one\ntwo\n", "x.case": "ONE\nTWO\n",
		"edited": "three\r\n", "new": "four\r\n", "y.case": "Five\n",
	} {
		require.Equal(t, want, got[name], name)
	}
}

// Files, folders and symlinks that are named explicitly are copied even if git ignores them. So are files below a symlink that stays in the work
// tree.
func TestLayOverNamed(t *testing.T) {
	t.Parallel()
	l := gitrepotest.NewLaid(t)
	l.Write(".gitignore", "gen/\n*.log\n/to\n/left/\n/lost\n")
	l.Commit()
	l.Write("d/gen/a.py", "1\n")
	l.Write("d/gen/deep/b.py", "1\n")
	l.Write("d/gen/.git/config", "theirs\n")
	l.Write("left/named", "1\n")
	l.Write("left/other", "1\n")
	l.Write("x.log", "1\n")
	l.Link(l.At("a"), "to")
	l.Also = []string{"folder/gen", "x.log", "to", "left/named"}
	clone, err := over(l)
	require.NoError(t, err)
	want := gitrepotest.Tree(t, l.Dir)
	delete(want, "left/other")
	want["to"] = "-> " + filepath.Join(clone, "a")
	require.Equal(t, want, gitrepotest.Tree(t, clone))
	require.NoFileExists(t, filepath.Join(clone, "d/gen/.git/config"))

	l.Also = []string{"outside/theirs"}
	_, err = over(l)
	require.ErrorContains(t, err, "is below a link that leads out of the work tree to "+l.Out)
}

// Submodules and untracked repositories in the clone equal those in the work tree.
func TestLayOverRepositories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *gitrepotest.Laid, w *gitrepotest.Submodules)
		without []string
		and     map[string]string
	}{
		{name: "nothing", do: func(*gitrepotest.Laid, *gitrepotest.Submodules) {}},
		{
			name: "changes in a submodule and in a nested one",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Write("pkg/src/lib/file.py", "changed\n")
				l.Write("pkg/src/lib/new.py", "new\n")
				l.Write("pkg/src/lib/deep/inner/file.py", "changed\n")
				l.Remove("docs/file.py")
			},
		},
		{
			name: "changes that git was told to ignore",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Git("config", "submodule.pkg/src/lib.ignore", "all")
				l.Write("pkg/src/lib/file.py", "changed\n")
				l.Git("config", "-f", ".gitmodules", "submodule.a theme.ignore", "untracked")
				l.Write("docs/new", "new\n")
			},
		},
		{
			name: "another commit, with changes",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Write("pkg/src/lib/second.py", "2\n")
				w.Git(l.At("pkg/src/lib"), "add", "-A")
				w.Git(l.At("pkg/src/lib"), "commit", "-q", "-m", "feat: second")
				l.Write("pkg/src/lib/third.py", "3\n")
				w.Git(l.At("pkg/src/lib/deep/inner"), "commit", "-q", "--allow-empty", "-m", "feat: nothing")
			},
		},
		{
			name: "a new submodule",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Git("submodule", "--quiet", "add", filepath.Join(w.Base, "docs"), "new docs")
				l.Write("new docs/x", "x\n")
			},
		},
		{
			name: "a submodule removed by git, and another by hand",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Git("rm", "-q", "-f", "docs")
				l.Remove("pkg/src/lib")
			},
		},
		{
			name: "a submodule becomes a folder of files",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Git("rm", "-q", "--cached", "docs")
				l.Remove("docs/.git")
				l.Git("add", "docs")
				l.Write("docs/new", "new\n")
			},
		},
		{
			name: "a folder and a link become repositories",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Remove("outside")
				w.Git(l.Dir, "clone", "-q", filepath.Join(w.Base, "docs"), "outside")
				l.Remove("d")
				w.Git(l.Dir, "clone", "-q", filepath.Join(w.Base, "docs"), "d")
				l.Write("d/a", "a\n")
			},
		},
		{
			name: "untracked repositories",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				w.Git(l.Dir, "clone", "-q", "--recurse-submodules", filepath.Join(w.Base, "lib"), "theirs")
				l.Write("theirs/file.py", "changed\n")
				l.Write("theirs/.git/info/exclude", "hidden\n")
				l.Write("theirs/hidden", "x\n")
				w.Git(l.Dir, "init", "-q", "empty")
				l.Write("empty/x", "x\n")
				l.Write("empty/some.log", "x\n")
				l.Write("empty/.gitignore", "*.log\n")
				w.Git(l.At("empty"), "clone", "-q", filepath.Join(w.Base, "inner"), "in it")
			},
			without: []string{"theirs/hidden", "empty/some.log"},
		},
		{
			name: "another work tree of the same repository",
			do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) {
				l.Git("worktree", "add", "-q", "--detach", "trees/other")
				l.Write("trees/other/a", "changed\n")
			},
			without: []string{"trees/other/a"},
		},
		{name: "not checked out", do: func(l *gitrepotest.Laid, w *gitrepotest.Submodules) { l.Git("submodule", "--quiet", "deinit", "docs") }, and: map[string]string{"docs/file.py": "docs = 1\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := gitrepotest.NewSubmodules(t)
			l := &gitrepotest.Laid{T: t, Dir: w.Dir, Out: t.TempDir(), Run: w.Run}
			l.Write("d/a", "d/a\n")
			l.Link(l.Out, "outside")
			gitrepotest.Write(t, l.Out, "theirs", "theirs\n")
			l.Commit()
			c.do(l, w)
			before, beside := gitrepotest.Tree(t, l.Dir), gitrepotest.Tree(t, l.Out)
			clone, err := over(l)
			require.NoError(t, err)
			want := maps.Clone(before)
			if slices.Contains(c.without, "trees/other/a") {
				maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "trees/") })
			}
			for _, name := range c.without {
				delete(want, name)
			}
			maps.Copy(want, c.and)
			require.Equal(t, want, gitrepotest.Tree(t, clone))
			require.Equal(t, before, gitrepotest.Tree(t, l.Dir))
			require.Equal(t, beside, gitrepotest.Tree(t, l.Out))
		})
	}
}

// Copy copies a folder that is not in a repository, or that has no commit yet, without the files that .gitignore lists.
func TestCopyFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(l *gitrepotest.Laid)
	}{
		{"outside of git", func(l *gitrepotest.Laid) { l.Remove(".git") }},
		{"before the first commit", func(l *gitrepotest.Laid) { l.Remove(".git"); l.Git("init", "-q") }},
		{
			name: "before the first commit, staged",
			do: func(l *gitrepotest.Laid) {
				l.Remove(".git")
				l.Git("init", "-q")
				l.Git("add", "-A")
				l.Remove("a")
				l.Write("b", "changed\n")
			},
		},
		{
			name: "a folder that contains a repository",
			do: func(l *gitrepotest.Laid) {
				l.Remove(".git")
				l.Git("init", "-q", "inner")
				l.Write("inner/x", "x\n")
				require.NoError(l.T, l.Run.Run(l.T.Context(), command.Cmd{Name: "git", Args: []string{"add", "-A"}, Dir: l.At("inner")}))
				require.NoError(l.T, l.Run.Run(l.T.Context(), command.Cmd{Name: "git", Args: []string{"commit", "-q", "-m", "x"}, Dir: l.At("inner")}))
				l.Write("inner/y", "y\n")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			l.Write("some.log", "x\n")
			l.Write("left/x", "x\n")
			l.Write("named.log", "x\n")
			c.do(l)
			to := filepath.Join(t.TempDir(), "not there", "copy")
			require.NoError(t, overlay.Copy(t.Context(), l.Run, l.Dir, to, []string{"named.log"}, func(name string) bool { return strings.HasPrefix(name, "left/") }))
			want := gitrepotest.Tree(t, l.Dir)
			delete(want, "some.log")
			if _, known := os.Lstat(l.At(".git/index")); known != nil {
				delete(want, "left/x")
			}
			require.Equal(t, want, gitrepotest.Tree(t, to))
		})
	}
}

// An unreadable file is an error with a next step, because a build without that file would be different.
func TestLayOverUnreadable(t *testing.T) {
	for _, c := range []struct{ name, closed string }{{"a file", "new"}, {"a changed file", "a"}, {"a folder", "d"}} {
		t.Run(c.name, func(t *testing.T) {
			l := gitrepotest.NewLaid(t)
			l.Write("new", "x\n")
			l.Write("a", "changed\n")
			l.Write("d/a", "changed\n")
			repo, err := gitrepo.Open(t.Context(), l.Run, l.Dir)
			require.NoError(t, err)
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, l.Git("rev-parse", "HEAD")))
			l.Chmod(c.closed, 0)
			t.Cleanup(func() { l.Chmod(c.closed, 0o755) })
			gitrepotest.BindHere(t, clone, l.Dir)
			_, _, err = overlay.Lay(t.Context(), repo, clone, nil, func(string) bool { return false })
			require.ErrorContains(t, err, "cannot be copied to the build folder")
			require.Contains(t, fmt.Sprintf("%+v", err), "make the file readable, or have git ignore the file")
			require.ErrorIs(t, err, fs.ErrPermission)
		})
	}
}
