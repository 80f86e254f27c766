package e2e_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// nobody is an unprivileged user. It is needed because root is not bound by file permissions.
const nobody = 65534

// If a folder or a repository is not writable, the error is one sentence, and nothing is changed.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		closed string // the path that is made read-only
		file   bool   // `closed` is a file, not a folder
		args   []string
		says   string // the error; "" if the target succeeds
		next   string
	}{
		{name: "nothing", args: []string{"-commit", "-tag", "-changelog"}},
		{name: "the workspace's folder, for a new changelog", closed: ".", args: []string{"-commit", "-changelog"}, says: "CHANGELOG.md: the file is read-only, because its folder is read-only: permission denied", next: "make the file and its folder writable"},
		{name: "a manifest's folder, which does not matter", closed: "packages/core", args: []string{"-commit", "-tag"}},
		{name: "a manifest", closed: "packages/core/pixi.toml", file: true, args: []string{"-commit"}, says: "packages/core/pixi.toml: the file is read-only", next: "make the file and its folder writable"},
		{name: "git's folder", closed: ".git", args: []string{"-commit"}, says: "git cannot write to ", next: "git writes commits and tags there"},
		{name: "git's objects", closed: ".git/objects", args: []string{"-commit"}, says: "/.git/objects: permission denied", next: "make the folder writable"},
		{name: "git's tags", closed: ".git/refs/tags", args: []string{"-commit", "-tag"}, says: "/.git/refs/tags: permission denied", next: "make the folder writable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, mage := bound(t)
			if c.closed != "" {
				mode := os.FileMode(0o555)
				if c.file {
					mode = 0o444
				}
				closed := filepath.Join(dir, c.closed)
				require.NoError(t, os.Chmod(closed, mode))
				t.Cleanup(func() { require.NoError(t, os.Chmod(closed, 0o755)) }) // otherwise the folder cannot be removed
			}
			state := func() string {
				safe := []string{"-c", "safe.directory=" + dir}
				return git(t, dir, append(safe, "status", "--porcelain")...) + git(t, dir, append(safe, "show-ref")...)
			}
			before := state()
			out, err := mage(append([]string{"version:bump", "-to=patch", "-yes"}, c.args...)...)
			if c.says == "" {
				require.NoError(t, err, out)
				return
			}
			require.Error(t, err, out)
			require.Contains(t, out, c.says)
			require.Contains(t, out, c.next)
			require.Contains(t, out, "nothing was changed")
			require.Equal(t, before, state())
		})
	}
}

// bound makes a repository that is owned by a user who is subject to file permissions, and returns a function that runs targets as that user: the
// current user, or the user "nobody" if the test runs as root.
func bound(t *testing.T) (dir string, mage func(args ...string) (string, error)) {
	base, err := os.MkdirTemp("", "readonly-") // t.TempDir is not accessible to nobody
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
	require.NoError(t, os.Chmod(base, 0o755))
	dir = filepath.Join(base, "repo")
	require.NoError(t, os.CopyFS(dir, os.DirFS(monorepo(t, 3))))
	program := filepath.Join(base, "targets")
	data, err := os.ReadFile(filepath.Join(compiled, "targets"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, data, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(base, "home"), 0o755))
	var as *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	require.NoError(t, filepath.WalkDir(base, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || as == nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	}))
	return dir, func(args ...string) (string, error) {
		x := exec.Command(program, args...)
		x.Dir = dir
		x.Env = command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+filepath.Join(base, "home"), "XDG_CACHE_HOME="+filepath.Join(base, "home"), "TMPDIR="+filepath.Join(base, "home"))
		x.SysProcAttr = as
		out, err := x.CombinedOutput()
		return string(out), err
	}
}
