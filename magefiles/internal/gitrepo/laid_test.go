package gitrepo_test

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
)

// tree is what is below a folder, but for git's own: by path, what a file has in it, "x " before it where it can be run, or where a
// link leads.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		switch {
		case d.Name() == ".git" && d.IsDir():
			return filepath.SkipDir
		case d.Name() == ".git" || d.IsDir():
		case d.Type()&fs.ModeSymlink != 0:
			leads, err := os.Readlink(file)
			require.NoError(t, err)
			found[name] = "-> " + leads
		case d.Type().IsRegular():
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			st, err := d.Info()
			require.NoError(t, err)
			found[name] = string(data)
			if st.Mode()&0o111 != 0 {
				found[name] = "x " + string(data)
			}
		default:
			found[name] = d.Type().String()
		}
		return nil
	}))
	return found
}

// laid is a repository with a commit of many kinds of files, and what the clone of it is once its work tree is laid over.
type laid struct {
	t    *testing.T
	dir  string
	out  string // a folder beside the repository; nothing may be written there
	run  command.Runner
	also []string
}

func newLaid(t *testing.T) *laid {
	dir, run := newRepo(t)
	l := &laid{t: t, dir: dir, out: t.TempDir(), run: run}
	write(t, l.out, "theirs", "theirs\n")
	for _, name := range []string{"a", "b", "d/a", "d/b", "d/e/c", "with space/ü", "pkg/pixi.toml"} {
		write(t, dir, name, name+"\n")
	}
	l.chmod("b", 0o755)
	l.link("a", "link")
	l.link("d", "folder")
	l.link("nowhere", "dangling")
	l.link(l.out, "outside")
	l.commit()
	return l
}

func (l *laid) git(args ...string) string {
	l.t.Helper()
	out, err := command.Output(l.t.Context(), l.run, command.Cmd{Name: "git", Args: append([]string{"-c", "protocol.file.allow=always"}, args...), Dir: l.dir})
	require.NoError(l.t, err, "%v", args)
	return out
}

func (l *laid) commit() {
	l.git("add", "-A")
	l.git("commit", "-q", "-m", "feat: files")
}
func (l *laid) write(name, text string)          { l.t.Helper(); write(l.t, l.dir, name, text) }
func (l *laid) at(name string) string            { return filepath.Join(l.dir, name) }
func (l *laid) remove(name string)               { require.NoError(l.t, os.RemoveAll(l.at(name))) }
func (l *laid) link(leads, name string)          { require.NoError(l.t, os.Symlink(leads, l.at(name))) }
func (l *laid) chmod(name string, m os.FileMode) { require.NoError(l.t, os.Chmod(l.at(name), m)) }
func (l *laid) rename(from, to string) {
	require.NoError(l.t, os.MkdirAll(filepath.Dir(l.at(to)), 0o755))
	require.NoError(l.t, os.Rename(l.at(from), l.at(to)))
}

// over lays the work tree over a clone, and returns that.
func (l *laid) over() (string, error) {
	l.t.Helper()
	repo, err := gitrepo.Open(l.t.Context(), l.run, l.dir)
	require.NoError(l.t, err)
	head, err := repo.Head(l.t.Context())
	require.NoError(l.t, err)
	clone := filepath.Join(l.t.TempDir(), "clone")
	require.NoError(l.t, repo.Borrow(l.t.Context(), clone, head.Commit))
	_, _, err = repo.LayOver(l.t.Context(), clone, l.also, func(name string) bool { return strings.HasPrefix(name, "left/") })
	return clone, err
}

// A clone is what the work tree is, but for what git ignores and what stays behind: whatever was changed, and into what.
func TestLayOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *laid)
		without []string // files of the work tree that are not laid over
		and     map[string]string
	}{
		{name: "nothing", do: func(*laid) {}},
		{
			name: "changed, new and deleted files",
			do: func(l *laid) {
				l.write("a", "changed\n")
				l.write("new", "new\n")
				l.write("new folder/deep/er", "new\n")
				l.remove("d/e/c")
			},
		},
		{
			name: "renamed files, staged and not",
			do: func(l *laid) {
				l.git("mv", "a", "moved")
				l.rename("d/a", "elsewhere/a")
				l.git("mv", "with space", "without")
			},
		},
		{
			name: "a name in other case",
			do: func(l *laid) {
				l.git("mv", "a", "A")
				l.rename("d", "D")
			},
		},
		{
			name: "modes",
			do: func(l *laid) {
				l.chmod("a", 0o755)
				l.chmod("b", 0o644)
				l.write("new", "#!/bin/sh\n")
				l.chmod("new", 0o700)
				l.write("read only", "r\n")
				l.chmod("read only", 0o444)
			},
		},
		{
			name: "links",
			do: func(l *laid) {
				l.remove("link")
				l.link("b", "link")
				l.link("d/e", "new folder")
				l.link("not there/at all", "new dangling")
				l.link("/etc/hostname", "absolute")
				l.link("../..", "d/up")
				l.remove("dangling")
			},
		},
		{
			name: "a file becomes a folder, a folder a file",
			do: func(l *laid) {
				l.remove("a")
				l.write("a/in/it", "x\n")
				l.remove("d")
				l.write("d", "a file\n")
			},
		},
		{
			name: "the same, staged",
			do: func(l *laid) {
				l.remove("a")
				l.write("a/in/it", "x\n")
				l.remove("d")
				l.write("d", "a file\n")
				l.git("add", "-A")
			},
		},
		{
			name: "links become folders, and folders links",
			do: func(l *laid) {
				l.remove("outside")
				l.write("outside/theirs", "mine\n")
				l.remove("folder")
				l.write("folder/a", "mine\n")
				l.remove("d")
				l.link(l.out, "d")
				l.remove("with space")
				l.link("pkg", "with space")
			},
		},
		{
			name: "the same, staged",
			do: func(l *laid) {
				l.remove("outside")
				l.write("outside/theirs", "mine\n")
				l.remove("d")
				l.link(l.out, "d")
				l.git("add", "-A")
			},
		},
		{
			name: "a folder becomes an ignored link to one that has the same files",
			do: func(l *laid) {
				write(l.t, l.out, "a", "not of the repository\n")
				l.remove("d")
				l.link(l.out, "d")
				l.write(".gitignore", "*.log\n/d\n")
			},
			without: []string{"d"},
		},
		{
			name: "a link becomes a file, and a file a link",
			do: func(l *laid) {
				l.remove("outside")
				l.write("outside", "a file\n")
				l.remove("a")
				l.link(filepath.Join(l.out, "theirs"), "a")
				l.write("through", "t\n")
			},
		},
		{
			name: "names",
			do: func(l *laid) {
				for _, name := range []string{"a b", "-dash", "--", "new\nline", `quo"te`, "back\\slash", "ünï/ç", "tab\t", ":(top)x", "*", "[a]", "#x", "!y", "\xff\xfe", " ", "d/ e "} {
					l.write(name, name)
				}
				l.write("with space/ü", "changed\n")
			},
		},
		{
			name: "staged and changed back, and changed again",
			do: func(l *laid) {
				l.write("a", "staged\n")
				l.git("add", "a")
				l.write("a", "a\n")
				l.write("b", "staged\n")
				l.git("add", "b")
				l.write("b", "once more\n")
				l.write("new", "staged\n")
				l.git("add", "new")
				l.remove("new")
			},
		},
		{
			name: "only staged",
			do: func(l *laid) {
				l.write("a", "staged\n")
				l.write("new", "staged\n")
				l.git("rm", "-q", "d/a")
				l.git("add", "-A")
			},
		},
		{
			name: "to be added",
			do: func(l *laid) {
				l.write("new", "new\n")
				l.git("add", "--intent-to-add", "new")
			},
		},
		{name: "no longer known to git", do: func(l *laid) { l.git("rm", "-q", "--cached", "a", "d/a") }},
		{
			name: "no longer known to git, and ignored",
			do: func(l *laid) {
				l.git("rm", "-q", "-r", "--cached", "d", "a")
				l.write(".gitignore", "*.log\n/d/\n")
			},
			without: []string{"d/a", "d/b", "d/e/c"},
		},
		{
			name: "ignored",
			do: func(l *laid) {
				l.write("some.log", "x\n")
				l.write("deep/some.log", "x\n")
				l.write("deep/.gitignore", "secret\n")
				l.write("deep/secret", "x\n")
				l.write(".git/info/exclude", "excluded\n")
				l.write("excluded", "x\n")
			},
			without: []string{"some.log", "deep/some.log", "deep/secret", "excluded"},
		},
		{
			name: "ignored and yet known",
			do: func(l *laid) {
				l.write("known.log", "x\n")
				l.git("add", "-f", "known.log")
				l.git("commit", "-q", "-m", "chore: log")
				l.write("known.log", "changed\n")
			},
		},
		{
			name: "what stays behind",
			do: func(l *laid) {
				l.write("left/known", "x\n")
				l.git("add", "left")
				l.write("left/new", "x\n")
			},
			without: []string{"left/new"},
		},
		{
			name: "flags by which git does not look",
			do: func(l *laid) {
				l.git("update-index", "--assume-unchanged", "a", "d/a")
				l.git("update-index", "--skip-worktree", "b")
				l.write("a", "assumed\n")
				l.remove("d/a")
				l.write("b", "skipped\n")
				l.chmod("b", 0o755)
			},
		},
		{
			name: "a sparse checkout",
			do: func(l *laid) {
				l.git("sparse-checkout", "set", "--no-cone", "/*", "!/d/")
				l.write("a", "changed\n")
				l.write("d/b", "there all the same\n")
			},
			and: map[string]string{"d/a": "d/a\n", "d/e/c": "d/e/c\n"},
		},
		{
			name: "no special files",
			do: func(l *laid) {
				require.NoError(l.t, syscall.Mkfifo(l.at("pipe"), 0o644))
				l.remove("a")
				require.NoError(l.t, syscall.Mkfifo(l.at("a"), 0o644))
			},
			without: []string{"pipe", "a"},
		},
		{
			name: "a file system without modes",
			do: func(l *laid) {
				l.git("config", "core.fileMode", "no")
				l.write("a", "changed\n")
				l.chmod("a", 0o755)
				l.write("b", "changed\n")
				l.chmod("b", 0o644)
				l.write("new", "n\n")
				l.chmod("new", 0o777)
			},
			and: map[string]string{"a": "changed\n", "b": "x changed\n", "new": "n\n"},
		},
		{
			name: "a file system without links",
			do: func(l *laid) {
				l.git("config", "core.symlinks", "0")
				l.remove("link")
				l.write("link", "b")
			},
			and: map[string]string{"link": "-> b"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			c.do(l)
			before, beside := tree(t, l.dir), tree(t, l.out)
			state := l.git("status", "--porcelain")
			clone, err := l.over()
			require.NoError(t, err)
			want := maps.Clone(before)
			for _, name := range c.without {
				require.Contains(t, want, name)
				delete(want, name)
			}
			maps.Copy(want, c.and)
			require.Equal(t, want, tree(t, clone))
			require.Equal(t, before, tree(t, l.dir), "the work tree stays as it is")
			require.Equal(t, beside, tree(t, l.out), "nothing is written through a link")
			require.Equal(t, state, l.git("status", "--porcelain"))
		})
	}
}

// A file in conflict is what lies in the work tree.
func TestLayOverConflicts(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	l.git("switch", "-q", "-c", "other")
	l.write("a", "other\n")
	l.git("rm", "-q", "b")
	l.write("both", "other\n")
	l.commit()
	l.git("switch", "-q", "main")
	l.write("a", "main\n")
	l.write("b", "main\n")
	l.write("both", "main\n")
	l.commit()
	require.Error(t, l.run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"merge", "-q", "other"}, Dir: l.dir}))
	clone, err := l.over()
	require.NoError(t, err)
	require.Contains(t, tree(t, clone)["a"], "<<<<<<<")
	require.Equal(t, tree(t, l.dir), tree(t, clone))
}

// Unchanged files are as the commit has them, whatever the person's settings made of them; changed ones are as they lie there.
func TestLayOverLineEndsAndFilters(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	l.write(".gitattributes", "*.bat eol=crlf\n*.raw -text\n*.case filter=case\n")
	for _, name := range []string{"unix", "x.bat", "x.raw", "edited", "x.case", "y.case"} {
		l.write(name, "one\ntwo\n")
	}
	l.git("config", "filter.case.clean", "tr A-Z a-z")
	l.git("config", "filter.case.smudge", "tr a-z A-Z")
	l.commit()
	l.git("config", "core.autocrlf", "true")
	for _, name := range []string{"unix", "x.bat", "x.raw", "edited", "x.case", "y.case"} {
		l.remove(name)
	}
	l.git("checkout", "--", ".")
	require.Equal(t, "one\r\ntwo\r\n", tree(t, l.dir)["unix"])
	l.write("edited", "three\r\n")
	l.write("new", "four\r\n")
	l.write("y.case", "Five\n")
	clone, err := l.over()
	require.NoError(t, err)
	got := tree(t, clone)
	for name, want := range map[string]string{
		"unix": "one\ntwo\n", "x.bat": "one\r\ntwo\r\n", "x.raw": "one\ntwo\n", "x.case": "ONE\nTWO\n",
		"edited": "three\r\n", "new": "four\r\n", "y.case": "Five\n",
	} {
		require.Equal(t, want, got[name], name)
	}
}

// What is named comes along though git ignores it: files, folders, links, and what is behind a link that stays in the work tree.
func TestLayOverNamed(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	l.write(".gitignore", "gen/\n*.log\n/to\n/left/\n/lost\n")
	l.commit()
	l.write("d/gen/a.py", "1\n")
	l.write("d/gen/deep/b.py", "1\n")
	l.write("d/gen/.git/config", "theirs\n")
	l.write("left/named", "1\n")
	l.write("left/other", "1\n")
	l.write("x.log", "1\n")
	l.link(l.at("a"), "to")
	l.also = []string{"folder/gen", "x.log", "to", "left/named"}
	clone, err := l.over()
	require.NoError(t, err)
	want := tree(t, l.dir)
	delete(want, "left/other")
	want["to"] = "-> " + filepath.Join(clone, "a")
	require.Equal(t, want, tree(t, clone))
	require.NoFileExists(t, filepath.Join(clone, "d/gen/.git/config"))

	l.also = []string{"outside/theirs"}
	_, err = l.over()
	require.ErrorContains(t, err, "is behind a link that leads out of the work tree, to "+l.out)
}

// Submodules, and repositories that git knows nothing of, are what they are in the work tree.
func TestLayOverRepositories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *laid, w *withSubmodules)
		without []string
		and     map[string]string
	}{
		{name: "nothing", do: func(*laid, *withSubmodules) {}},
		{
			name: "changes in a submodule, and in one of it",
			do: func(l *laid, w *withSubmodules) {
				l.write("pkg/src/lib/file.py", "changed\n")
				l.write("pkg/src/lib/new.py", "new\n")
				l.write("pkg/src/lib/deep/inner/file.py", "changed\n")
				l.remove("docs/file.py")
			},
		},
		{
			name: "changes that git is told to pass over",
			do: func(l *laid, w *withSubmodules) {
				l.git("config", "submodule.pkg/src/lib.ignore", "all")
				l.write("pkg/src/lib/file.py", "changed\n")
				l.git("config", "-f", ".gitmodules", "submodule.a theme.ignore", "untracked")
				l.write("docs/new", "new\n")
			},
		},
		{
			name: "another commit, with changes",
			do: func(l *laid, w *withSubmodules) {
				l.write("pkg/src/lib/second.py", "2\n")
				w.git(l.at("pkg/src/lib"), "add", "-A")
				w.git(l.at("pkg/src/lib"), "commit", "-q", "-m", "feat: second")
				l.write("pkg/src/lib/third.py", "3\n")
				w.git(l.at("pkg/src/lib/deep/inner"), "commit", "-q", "--allow-empty", "-m", "feat: nothing")
			},
		},
		{
			name: "a new one",
			do: func(l *laid, w *withSubmodules) {
				l.git("submodule", "--quiet", "add", filepath.Join(w.base, "docs"), "new docs")
				l.write("new docs/x", "x\n")
			},
		},
		{
			name: "one is removed by git, and one by hand",
			do: func(l *laid, w *withSubmodules) {
				l.git("rm", "-q", "-f", "docs")
				l.remove("pkg/src/lib")
			},
		},
		{
			name: "one becomes a folder of files",
			do: func(l *laid, w *withSubmodules) {
				l.git("rm", "-q", "--cached", "docs")
				l.remove("docs/.git")
				l.git("add", "docs")
				l.write("docs/new", "new\n")
			},
		},
		{
			name: "a folder and a link become repositories",
			do: func(l *laid, w *withSubmodules) {
				l.remove("outside")
				w.git(l.dir, "clone", "-q", filepath.Join(w.base, "docs"), "outside")
				l.remove("d")
				w.git(l.dir, "clone", "-q", filepath.Join(w.base, "docs"), "d")
				l.write("d/a", "a\n")
			},
		},
		{
			name: "repositories that git knows nothing of",
			do: func(l *laid, w *withSubmodules) {
				w.git(l.dir, "clone", "-q", "--recurse-submodules", filepath.Join(w.base, "lib"), "theirs")
				l.write("theirs/file.py", "changed\n")
				l.write("theirs/.git/info/exclude", "hidden\n")
				l.write("theirs/hidden", "x\n")
				w.git(l.dir, "init", "-q", "empty")
				l.write("empty/x", "x\n")
				l.write("empty/some.log", "x\n")
				l.write("empty/.gitignore", "*.log\n")
				w.git(l.at("empty"), "clone", "-q", filepath.Join(w.base, "inner"), "in it")
			},
			without: []string{"theirs/hidden", "empty/some.log"},
		},
		{
			name: "another work tree of the same repository",
			do: func(l *laid, w *withSubmodules) {
				l.git("worktree", "add", "-q", "--detach", "trees/other")
				l.write("trees/other/a", "changed\n")
			},
			without: []string{"trees/other/a"},
		},
		{name: "not checked out", do: func(l *laid, w *withSubmodules) { l.git("submodule", "--quiet", "deinit", "docs") }, and: map[string]string{"docs/file.py": "docs = 1\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newSubmodules(t)
			l := &laid{t: t, dir: w.dir, out: t.TempDir(), run: w.run}
			l.write("d/a", "d/a\n")
			l.link(l.out, "outside")
			write(t, l.out, "theirs", "theirs\n")
			l.commit()
			c.do(l, w)
			before, beside := tree(t, l.dir), tree(t, l.out)
			clone, err := l.over()
			require.NoError(t, err)
			want := maps.Clone(before)
			if slices.Contains(c.without, "trees/other/a") {
				maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "trees/") })
			}
			for _, name := range c.without {
				delete(want, name)
			}
			maps.Copy(want, c.and)
			require.Equal(t, want, tree(t, clone))
			require.Equal(t, before, tree(t, l.dir))
			require.Equal(t, beside, tree(t, l.out))
		})
	}
}

// A folder that is not in git, or has no commit yet, is copied without what its .gitignore names.
func TestCopyFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(l *laid)
	}{
		{"outside of git", func(l *laid) { l.remove(".git") }},
		{"before the first commit", func(l *laid) { l.remove(".git"); l.git("init", "-q") }},
		{
			name: "before the first commit, staged",
			do: func(l *laid) {
				l.remove(".git")
				l.git("init", "-q")
				l.git("add", "-A")
				l.remove("a")
				l.write("b", "changed\n")
			},
		},
		{
			name: "with a repository in it",
			do: func(l *laid) {
				l.remove(".git")
				l.git("init", "-q", "inner")
				l.write("inner/x", "x\n")
				require.NoError(l.t, l.run.Run(l.t.Context(), command.Cmd{Name: "git", Args: []string{"add", "-A"}, Dir: l.at("inner")}))
				require.NoError(l.t, l.run.Run(l.t.Context(), command.Cmd{Name: "git", Args: []string{"commit", "-q", "-m", "x"}, Dir: l.at("inner")}))
				l.write("inner/y", "y\n")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			l.write("some.log", "x\n")
			l.write("left/x", "x\n")
			l.write("named.log", "x\n")
			c.do(l)
			to := filepath.Join(t.TempDir(), "not there", "copy")
			require.NoError(t, gitrepo.CopyFiles(t.Context(), l.run, l.dir, to, []string{"named.log"}, func(name string) bool { return strings.HasPrefix(name, "left/") }))
			want := tree(t, l.dir)
			delete(want, "some.log")
			if _, known := os.Lstat(l.at(".git/index")); known != nil {
				delete(want, "left/x")
			}
			require.Equal(t, want, tree(t, to))
		})
	}
}

// A file that cannot be read is named, with a way out: a build without it would be another one.
func TestLayOverUnreadable(t *testing.T) {
	for _, c := range []struct{ name, closed string }{{"a file", "new"}, {"a changed file", "a"}, {"a folder", "d"}} {
		t.Run(c.name, func(t *testing.T) {
			l := newLaid(t)
			l.write("new", "x\n")
			l.write("a", "changed\n")
			l.write("d/a", "changed\n")
			repo, err := gitrepo.Open(t.Context(), l.run, l.dir)
			require.NoError(t, err)
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, repo.Borrow(t.Context(), clone, l.git("rev-parse", "HEAD")))
			l.chmod(c.closed, 0)
			t.Cleanup(func() { l.chmod(c.closed, 0o755) })
			bindHere(t, clone, l.dir)
			_, _, err = repo.LayOver(t.Context(), clone, nil, func(string) bool { return false })
			require.ErrorContains(t, err, "cannot be copied to where it is to be built")
			require.Contains(t, fmt.Sprintf("%+v", err), "make it readable, or have git ignore it")
			require.ErrorIs(t, err, fs.ErrPermission)
		})
	}
}
