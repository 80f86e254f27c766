package atomicfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
)

// tree returns a folder, a journal path and changes: a, sub/b and sub/c are changed or removed, and sub/new is created.
func tree(t *testing.T) (root, journal string, changes []atomicfile.Change) {
	root = t.TempDir()
	changes = []atomicfile.Change{
		{Path: "a", Old: []byte("version 0.1.9\n"), New: []byte("version 0.1.10\n")},
		{Path: "sub/b", Old: []byte("version 0.1.10\r\nend"), New: []byte("version 0.2.0\r\nend")},
		{Path: "sub/c", Old: []byte("gone"), New: nil},
		{Path: "sub/new", Old: nil, New: []byte("new\n")},
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "sub"), 0o755))
	for _, c := range changes {
		if c.Old != nil {
			require.NoError(t, os.WriteFile(filepath.Join(root, c.Path), c.Old, 0o640))
		}
	}
	return root, filepath.Join(root, ".git", "x", "journal"), changes
}

// requireTree requires that all files have the new contents if isNew is set, and the old ones otherwise, and that there are no other files.
func requireTree(t *testing.T, root string, changes []atomicfile.Change, isNew bool) {
	t.Helper()
	want := map[string]string{}
	for _, c := range changes {
		data := c.Old
		if isNew {
			data = c.New
		}
		if data != nil {
			want[c.Path] = string(data)
		}
	}
	require.Equal(t, want, contents(t, root))
}

func contents(t *testing.T, root string) map[string]string {
	got := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/.git/") {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		got[rel] = string(data)
		return err
	}))
	return got
}

func TestReplaceAll(t *testing.T) {
	root, journal, changes := tree(t)
	before, err := os.Stat(filepath.Join(root, "a"))
	require.NoError(t, err)
	require.NoError(t, atomicfile.ReplaceAll(root, journal, changes))
	requireTree(t, root, changes, true)
	after, err := os.Stat(filepath.Join(root, "a"))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "a file stays itself")
	require.Equal(t, os.FileMode(0o640), after.Mode())
	require.NoFileExists(t, journal)
	undone, err := atomicfile.Undo(root, journal)
	require.NoError(t, err)
	require.Equal(t, atomicfile.Undone{}, undone)
}

// Other hard links to a file keep their contents. A symlink is an error, because the caller must know which file it changes.
func TestReplaceAllLinks(t *testing.T) {
	root, journal, changes := tree(t)
	snapshot := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.Link(filepath.Join(root, "a"), snapshot))
	require.NoError(t, atomicfile.ReplaceAll(root, journal, changes))
	data, err := os.ReadFile(snapshot)
	require.NoError(t, err)
	require.Equal(t, string(changes[0].Old), string(data))
	requireTree(t, root, changes, true)

	root, journal, changes = tree(t)
	require.NoError(t, os.Rename(filepath.Join(root, "a"), filepath.Join(root, "real")))
	require.NoError(t, os.Symlink("real", filepath.Join(root, "a")))
	require.Error(t, atomicfile.ReplaceAll(root, journal, changes))
}

func TestReplaceAllRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, root string)
		want error
	}{
		{
			name: "an edit",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.WriteFile(filepath.Join(root, "sub", "b"), []byte("edited"), 0o644))
			},
			want: atomicfile.ErrChanged,
		},
		{
			name: "an edit of the same length",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.WriteFile(filepath.Join(root, "a"), []byte("version 0.1.8\n"), 0o644))
			},
			want: atomicfile.ErrChanged,
		},
		{"a file that is gone", func(t *testing.T, root string) { require.NoError(t, os.Remove(filepath.Join(root, "sub", "c"))) }, atomicfile.ErrChanged},
		{
			name: "a file that is there",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.WriteFile(filepath.Join(root, "sub", "new"), nil, 0o644))
			},
			want: atomicfile.ErrChanged,
		},
		{"a read-only file, also for root", func(t *testing.T, root string) { require.NoError(t, os.Chmod(filepath.Join(root, "sub", "b"), 0o444)) }, atomicfile.ErrReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, journal, changes := tree(t)
			c.do(t, root)
			before := contents(t, root)
			require.ErrorIs(t, atomicfile.ReplaceAll(root, journal, changes), c.want)
			require.Equal(t, before, contents(t, root))
			require.NoFileExists(t, journal)
		})
	}
}

// If a write fails in the middle, all changes are reverted. Here the folder of a new file does not exist.
func TestReplaceAllRevertsOnFailure(t *testing.T) {
	root, journal, changes := tree(t)
	changes[3].Path = "nowhere/new"
	require.Error(t, atomicfile.ReplaceAll(root, journal, changes))
	changes[3].New = nil
	requireTree(t, root, changes, false)
	require.NoFileExists(t, journal)
}

func TestOneAtATime(t *testing.T) {
	root, journal, changes := tree(t)
	require.NoError(t, os.MkdirAll(filepath.Dir(journal), 0o755))
	f, err := os.Create(journal + ".lock")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	require.ErrorIs(t, atomicfile.ReplaceAll(root, journal, changes), atomicfile.ErrBusy)
	requireTree(t, root, changes, false)
}

// writeJournalOf writes a journal, as if the process had died after that.
func writeJournalOf(t *testing.T, journal string, changes []atomicfile.Change) {
	require.NoError(t, os.MkdirAll(filepath.Dir(journal), 0o755))
	require.NoError(t, atomicfile.WriteJournal(journal, changes))
}

// Undo restores the old contents, no matter when the process died.
func TestUndo(t *testing.T) {
	for begun := range 5 {
		for cut := range 20 {
			root, journal, changes := tree(t)
			writeJournalOf(t, journal, changes)
			require.NoError(t, os.WriteFile(filepath.Join(root, "sub", ".b.1-0"+atomicfile.TempExt), nil, 0o644))
			for i, c := range changes[:min(begun, len(changes))] {
				path := filepath.Join(root, c.Path)
				if c.New == nil {
					require.NoError(t, os.Remove(path))
					continue
				}
				data := c.New
				if i == begun-1 { // interrupted in the middle of a file
					n := min(cut, len(c.New))
					data = append(append([]byte{}, c.New[:n]...), c.Old[min(n, len(c.Old)):]...)
				}
				require.NoError(t, os.WriteFile(path, data, 0o640))
			}
			undone, err := atomicfile.Undo(root, journal)
			require.NoError(t, err)
			require.Equal(t, len(changes), undone.Files)
			require.Empty(t, undone.Foreign)
			requireTree(t, root, changes, false)
			require.NoFileExists(t, journal)
		}
	}
}

// Undo does not change a file that was edited in the meantime. It reports the file.
func TestUndoLeavesEdits(t *testing.T) {
	root, journal, changes := tree(t)
	writeJournalOf(t, journal, changes)
	require.ErrorIs(t, atomicfile.ReplaceAll(root, journal, changes), atomicfile.ErrInterrupted)
	require.NoError(t, os.WriteFile(filepath.Join(root, "a"), []byte("mine"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "sub", "b"), changes[1].New, 0o644))
	undone, err := atomicfile.Undo(root, journal)
	require.NoError(t, err)
	require.Equal(t, atomicfile.Undone{Files: 4, Changed: []string{"sub/b"}, Foreign: []string{"a"}}, undone)
	changes[0].Old = []byte("mine")
	requireTree(t, root, changes, false)
}

func TestDamagedJournal(t *testing.T) {
	root, journal, changes := tree(t)
	writeJournalOf(t, journal, changes)
	data, err := os.ReadFile(journal)
	require.NoError(t, err)
	for _, bad := range []string{"", "{}", string(data[:len(data)-1]), string(data) + "x"} {
		require.NoError(t, os.WriteFile(journal, []byte(bad), 0o644))
		_, err := atomicfile.Undo(root, journal)
		require.Error(t, err)
		requireTree(t, root, changes, false)
	}
}
