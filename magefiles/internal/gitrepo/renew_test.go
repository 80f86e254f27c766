package gitrepo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// modes are the permissions of all files and folders, but for git's own.
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

// A clone that is used again is what a new one is, whatever was done in it, and whatever was committed since; or it is refused.
func TestRenew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(l, clone *laid)
		not  bool // it has to be made new
	}{
		{name: "nothing", do: func(_, _ *laid) {}},
		{
			name: "files of a build",
			do: func(_, c *laid) {
				c.write("build/lib/old.py", "x")
				c.write("d/e/x.pyc", "x")
				c.write("ignored.log", "x")
				c.write("pkg/.pixi/x", "x")
				require.NoError(t, os.MkdirAll(c.at("empty/folders"), 0o755))
			},
		},
		{
			name: "changed, deleted and replaced files",
			do: func(_, c *laid) {
				c.write("a", "A\n") // as long as it was
				c.remove("b")
				c.remove("d")
				c.link(c.out, "d")
				c.remove("with space/ü")
				c.write("with space/ü/x", "x")
				c.remove("link")
				c.write("link", "x")
			},
		},
		{
			name: "the same contents in other files, with their old times",
			do: func(_, c *laid) {
				c.remove("d/a")
				c.write("d/a", "d/a\n")
				c.chmod("d/a", 0o600)
				st, err := os.Stat(c.at("a"))
				require.NoError(t, err)
				c.write("a", "B\n")
				require.NoError(t, os.Chtimes(c.at("a"), st.ModTime(), st.ModTime()))
			},
		},
		{
			name: "modes",
			do: func(_, c *laid) {
				c.chmod("a", 0o600)
				c.chmod("b", 0o644)
				c.chmod("d/b", 0o777)
				c.chmod("d/e", 0o500)
			},
		},
		{
			name: "what git has",
			do: func(_, c *laid) {
				c.write(".git/info/exclude", "*.left\n")
				c.write("x.left", "x")
				c.git("config", "core.worktree", c.out)
				require.NoError(t, os.WriteFile(c.at(".git/info/attributes"), []byte("* eol=crlf\n"), 0o644))
				c.write("a", "hidden\n")
			},
		},
		{
			name: "flags, commits and tags",
			do: func(_, c *laid) {
				c.git("update-index", "--assume-unchanged", "a")
				c.write("a", "assumed\n")
				c.git("tag", "v9")
				c.git("-c", "user.name=x", "commit", "-q", "--allow-empty", "-m", "feat: x")
			},
		},
		{
			name: "a repository in it, and special files",
			do: func(_, c *laid) {
				c.git("init", "-q", "d")
				c.git("init", "-q", "new")
				c.write("new/x", "x")
				require.NoError(t, syscall.Mkfifo(c.at("d/pipe"), 0o644))
			},
		},
		{
			name: "another commit",
			do: func(l, c *laid) {
				c.write("new", "in the way\n")
				c.write("a", "touched\n")
				l.write("new", "new\n")
				l.write("b", "changed\n")
				l.remove("d")
				l.write("d", "a file\n")
				l.commit()
			},
		},
		{name: "other attributes", do: func(l, c *laid) { l.write(".gitattributes", "* eol=crlf\n"); l.commit() }, not: true},
		{name: "another filter", do: func(l, c *laid) { l.git("config", "filter.x.smudge", "tr a b") }, not: true},
		{
			name: "a submodule",
			do: func(l, c *laid) {
				l.git("init", "-q", "inner")
				l.git("-C", "inner", "commit", "-q", "--allow-empty", "-m", "feat: x")
				l.commit()
			},
			not: true,
		},
		{name: "no index", do: func(l, c *laid) { require.NoError(t, os.Remove(filepath.Join(filepath.Dir(c.dir), "index"))) }, not: true},
		{name: "another folder in its place", do: func(l, c *laid) { c.remove(""); require.NoError(t, os.Symlink(l.out, c.dir)) }, not: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			repo, err := gitrepo.Open(t.Context(), l.run, l.dir)
			require.NoError(t, err)
			clone := &laid{t: t, dir: filepath.Join(t.TempDir(), "clone"), out: l.out, run: l.run}
			commit := l.git("rev-parse", "HEAD")
			require.Error(t, repo.Renew(t.Context(), clone.dir, commit), "it was never kept")
			require.NoError(t, repo.Borrow(t.Context(), clone.dir, commit))
			require.NoError(t, repo.Keep(t.Context(), clone.dir, commit))
			untouched, err := os.Stat(clone.at("pkg/pixi.toml"))
			require.NoError(t, err)
			time.Sleep(20 * time.Millisecond) // a clock of files that is coarser than that
			c.do(l, clone)
			beside := tree(t, l.out)
			for range 2 {
				commit = l.git("rev-parse", "HEAD")
				err = repo.Renew(t.Context(), clone.dir, commit)
				require.Equal(t, beside, tree(t, l.out), "nothing is removed through a link")
				if c.not {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				fresh := filepath.Join(t.TempDir(), "fresh")
				require.NoError(t, repo.Borrow(t.Context(), fresh, commit))
				require.Equal(t, tree(t, fresh), tree(t, clone.dir))
				require.Equal(t, modes(t, fresh), modes(t, clone.dir))
				for _, args := range [][]string{{"config", "--list", "--local"}, {"show-ref"}, {"rev-parse", "HEAD"}, {"status", "--porcelain", "--ignored"}, {"ls-files", "-v", "--stage"}} {
					require.Equal(t, l.git(append([]string{"-C", fresh}, args...)...), clone.git(args...), args)
				}
				require.NoFileExists(t, clone.at(".git/info/exclude"))
				st, err := os.Stat(clone.at("pkg/pixi.toml"))
				require.NoError(t, err)
				require.Equal(t, untouched.ModTime(), st.ModTime(), "it is not made new")
			}
		})
	}
}
