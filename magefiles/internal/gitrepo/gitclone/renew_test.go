package gitclone_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// modes returns the permissions of all files and folders except .git.
func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if name, _ := filepath.Rel(dir, file); name == ".git" {
			return filepath.SkipDir
		} else if name != "." {
			st, err := d.Info()
			require.NoError(t, err)
			found[name] = st.Mode()
		}
		return nil
	}))
	return found
}

// A renewed clone is identical to a new one, whatever a build has changed in it, and whatever was committed since. If that is not possible, Renew
// returns an error.
func TestRenew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(l, clone *gitrepotest.Laid)
		not  bool // the clone cannot be reused
	}{
		{name: "nothing", do: func(_, _ *gitrepotest.Laid) {}},
		{
			name: "files of a build",
			do: func(_, c *gitrepotest.Laid) {
				c.Write("build/lib/old.py", "x")
				c.Write("d/e/x.pyc", "x")
				c.Write("ignored.log", "x")
				c.Write("pkg/.pixi/x", "x")
				require.NoError(t, os.MkdirAll(c.At("empty/folders"), 0o755))
			},
		},
		{
			name: "changed, deleted and replaced files",
			do: func(_, c *gitrepotest.Laid) {
				c.Write("a", "A\n") // same length as before
				c.Remove("b")
				c.Remove("d")
				c.Link(c.Out, "d")
				c.Remove("with space/ü")
				c.Write("with space/ü/x", "x")
				c.Remove("link")
				c.Write("link", "x")
			},
		},
		{
			name: "the same contents in other files, with their old times",
			do: func(_, c *gitrepotest.Laid) {
				c.Remove("d/a")
				c.Write("d/a", "d/a\n")
				c.Chmod("d/a", 0o600)
				st, err := os.Stat(c.At("a"))
				require.NoError(t, err)
				c.Write("a", "B\n")
				require.NoError(t, os.Chtimes(c.At("a"), st.ModTime(), st.ModTime()))
			},
		},
		{
			name: "modes",
			do: func(_, c *gitrepotest.Laid) {
				c.Chmod("a", 0o600)
				c.Chmod("b", 0o644)
				c.Chmod("d/b", 0o777)
				c.Chmod("d/e", 0o500)
			},
		},
		{
			name: "files in .git",
			do: func(_, c *gitrepotest.Laid) {
				c.Write(".git/info/exclude", "*.left\n")
				c.Write("x.left", "x")
				c.Git("config", "core.worktree", c.Out)
				require.NoError(t, os.WriteFile(c.At(".git/info/attributes"), []byte("* eol=crlf\n"), 0o644))
				c.Write("a", "hidden\n")
			},
		},
		{
			name: "flags, commits and tags",
			do: func(_, c *gitrepotest.Laid) {
				c.Git("update-index", "--assume-unchanged", "a")
				c.Write("a", "assumed\n")
				c.Git("tag", "v9")
				c.Git("-c", "user.name=x", "commit", "-q", "--allow-empty", "-m", "feat: x")
			},
		},
		{
			name: "a nested repository, and special files",
			do: func(_, c *gitrepotest.Laid) {
				c.Git("init", "-q", "d")
				c.Git("init", "-q", "new")
				c.Write("new/x", "x")
				require.NoError(t, syscall.Mkfifo(c.At("d/pipe"), 0o644))
			},
		},
		{
			name: "another commit",
			do: func(l, c *gitrepotest.Laid) {
				c.Write("new", "in the way\n")
				c.Write("a", "touched\n")
				l.Write("new", "new\n")
				l.Write("b", "changed\n")
				l.Remove("d")
				l.Write("d", "a file\n")
				l.Commit()
			},
		},
		{name: "other attributes", do: func(l, c *gitrepotest.Laid) { l.Write(".gitattributes", "* eol=crlf\n"); l.Commit() }, not: true},
		{name: "another filter", do: func(l, c *gitrepotest.Laid) { l.Git("config", "filter.x.smudge", "tr a b") }, not: true},
		{
			name: "a submodule",
			do: func(l, c *gitrepotest.Laid) {
				l.Git("init", "-q", "inner")
				l.Git("-C", "inner", "commit", "-q", "--allow-empty", "-m", "feat: x")
				l.Commit()
			},
			not: true,
		},
		{
			name: "no index",
			do: func(l, c *gitrepotest.Laid) {
				require.NoError(t, os.Remove(filepath.Join(filepath.Dir(c.Dir), "index")))
			},
			not: true,
		},
		{name: "another folder in its place", do: func(l, c *gitrepotest.Laid) { c.Remove(""); require.NoError(t, os.Symlink(l.Out, c.Dir)) }, not: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			repo, err := gitrepo.Open(t.Context(), l.Run, l.Dir)
			require.NoError(t, err)
			clone := &gitrepotest.Laid{T: t, Dir: filepath.Join(t.TempDir(), "clone"), Out: l.Out, Run: l.Run}
			commit := l.Git("rev-parse", "HEAD")
			require.Error(t, gitclone.Renew(t.Context(), repo, clone.Dir, commit), "the clone was never kept")
			require.NoError(t, gitclone.Borrow(t.Context(), repo, clone.Dir, commit))
			require.NoError(t, gitclone.Keep(t.Context(), repo, clone.Dir, commit))
			untouched, err := os.Stat(clone.At("pkg/pixi.toml"))
			require.NoError(t, err)
			time.Sleep(20 * time.Millisecond) // file times may be up to 20 ms behind
			c.do(l, clone)
			beside := gitrepotest.Tree(t, l.Out)
			for range 2 {
				commit = l.Git("rev-parse", "HEAD")
				err = gitclone.Renew(t.Context(), repo, clone.Dir, commit)
				require.Equal(t, beside, gitrepotest.Tree(t, l.Out), "nothing is removed through a link")
				if c.not {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				fresh := filepath.Join(t.TempDir(), "fresh")
				require.NoError(t, gitclone.Borrow(t.Context(), repo, fresh, commit))
				require.Equal(t, gitrepotest.Tree(t, fresh), gitrepotest.Tree(t, clone.Dir))
				require.Equal(t, modes(t, fresh), modes(t, clone.Dir))
				for _, args := range [][]string{{"config", "--list", "--local"}, {"show-ref"}, {"rev-parse", "HEAD"}, {"status", "--porcelain", "--ignored"}, {"ls-files", "-v", "--stage"}} {
					require.Equal(t, l.Git(append([]string{"-C", fresh}, args...)...), clone.Git(args...), args)
				}
				require.NoFileExists(t, clone.At(".git/info/exclude"))
				st, err := os.Stat(clone.At("pkg/pixi.toml"))
				require.NoError(t, err)
				require.Equal(t, untouched.ModTime(), st.ModTime(), "an untouched file is not written again")
			}
		})
	}
}
