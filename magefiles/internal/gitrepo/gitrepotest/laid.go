package gitrepotest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Laid is a repository with a commit that contains various kinds of files, for tests that copy uncommitted changes to a clone.
type Laid struct {
	T    *testing.T
	Dir  string
	Out  string // a folder outside the repository, to which nothing may be written
	Run  command.Runner
	Also []string
}

// NewLaid makes a Laid without uncommitted changes.
func NewLaid(t *testing.T) *Laid {
	dir, run := New(t)
	l := &Laid{T: t, Dir: dir, Out: t.TempDir(), Run: run}
	Write(t, l.Out, "theirs", "theirs\n")
	for _, name := range []string{"a", "b", "d/a", "d/b", "d/e/c", "with space/ü", "pkg/pixi.toml"} {
		Write(t, dir, name, name+"\n")
	}
	l.Chmod("b", 0o755)
	l.Link("a", "link")
	l.Link("d", "folder")
	l.Link("nowhere", "dangling")
	l.Link(l.Out, "outside")
	l.Commit()
	return l
}

// Git runs git in the repository and returns its output.
func (l *Laid) Git(args ...string) string {
	l.T.Helper()
	out, err := command.Output(l.T.Context(), l.Run, command.Cmd{Name: "git", Args: append([]string{"-c", "protocol.file.allow=always"}, args...), Dir: l.Dir})
	require.NoError(l.T, err, "%v", args)
	return out
}

// Commit commits all changes.
func (l *Laid) Commit() {
	l.Git("add", "-A")
	l.Git("commit", "-q", "-m", "feat: files")
}

// Write writes a file.
func (l *Laid) Write(name, text string) { l.T.Helper(); Write(l.T, l.Dir, name, text) }

// At returns the path of a file.
func (l *Laid) At(name string) string { return filepath.Join(l.Dir, name) }

// Remove removes a file or a folder.
func (l *Laid) Remove(name string) { require.NoError(l.T, os.RemoveAll(l.At(name))) }

// Link makes a symlink.
func (l *Laid) Link(leads, name string) { require.NoError(l.T, os.Symlink(leads, l.At(name))) }

// Chmod changes a file's mode.
func (l *Laid) Chmod(name string, m os.FileMode) { require.NoError(l.T, os.Chmod(l.At(name), m)) }

// Rename renames a file.
func (l *Laid) Rename(from, to string) {
	require.NoError(l.T, os.MkdirAll(filepath.Dir(l.At(to)), 0o755))
	require.NoError(l.T, os.Rename(l.At(from), l.At(to)))
}
