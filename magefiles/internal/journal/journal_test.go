package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/journal"
)

func bodies(entries []journal.Entry) (out []string) {
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%d %s %s %s %s", e.Seq, e.Tool, e.Plan, e.Kind, e.Body))
	}
	return out
}

func write(t *testing.T, n int) string {
	path := filepath.Join(t.TempDir(), "sub", "j.jsonl")
	j, err := journal.Create(path, "1.0", "sha256:aa", journal.Entry{Kind: "plan", Body: []byte(`{"a":1}`)})
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, j.Append("step", i))
	}
	require.NoError(t, j.Close())
	return path
}

func TestAppendAndContinue(t *testing.T) {
	path := write(t, 2)
	_, err := journal.Create(path, "1.0", "sha256:aa")
	require.ErrorIs(t, err, os.ErrExist)

	j, entries, err := journal.Open(path, "1.1", "sha256:aa")
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.NoError(t, j.Append("end", "so"))
	require.NoError(t, j.Close())
	entries, err = journal.Read(path)
	require.NoError(t, err)
	require.Equal(t, []string{
		`1 1.0 sha256:aa plan {"a":1}`, `2 1.0 sha256:aa step 0`, `3 1.0 sha256:aa step 1`, `4 1.1 sha256:aa end "so"`,
	}, bodies(entries))

	_, err = journal.Read(path + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// If the last line is torn at any position, or only its length reached the disk, all earlier entries are read, and the next entry replaces the line.
func TestTruncatedAnywhere(t *testing.T) {
	whole, err := os.ReadFile(write(t, 2))
	require.NoError(t, err)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for n := last; n < len(whole); n++ {
		for _, zeros := range []bool{false, true} {
			path := write(t, 2)
			torn := append([]byte{}, whole[:n]...)
			if zeros {
				torn = append(append(torn, make([]byte, len(whole)-n)...), '\n')
			}
			require.NoError(t, os.WriteFile(path, torn, 0o644))
			j, entries, err := journal.Open(path, "1.0", "sha256:aa")
			require.NoError(t, err, "%d", n)
			require.Len(t, entries, 2)
			require.NoError(t, j.Append("step", "again"))
			require.NoError(t, j.Close())
			entries, err = journal.Read(path)
			require.NoError(t, err)
			require.Equal(t, `3 1.0 sha256:aa step "again"`, bodies(entries)[2])
		}
	}
}

// Damage before the last line is an error.
func TestDamaged(t *testing.T) {
	path := write(t, 2)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[3] = 'x'
	require.NoError(t, os.WriteFile(path, data, 0o644))
	_, err = journal.Read(path)
	require.ErrorIs(t, err, journal.ErrDamaged)
	require.ErrorContains(t, err, "line 1")
}

// If an entry cannot be written, the journal is unchanged.
func TestUnwritable(t *testing.T) {
	path := write(t, 0)
	j, _, err := journal.Open(path, "1.0", "sha256:aa")
	require.NoError(t, err)
	require.Error(t, j.Append("step", func() {}))
	require.NoError(t, j.Append("step", 1))
	entries, err := journal.Read(path)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.NoError(t, j.Close())
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, killed, err := journal.Lock(path)
	require.NoError(t, err)
	require.True(t, killed.IsZero())
	_, _, err = journal.Lock(path)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, fmt.Sprintf("process %d since ", os.Getpid()))
	unlock()
	unlock, killed, err = journal.Lock(path)
	require.NoError(t, err)
	require.True(t, killed.IsZero())
	unlock()

	require.NoError(t, os.WriteFile(path, []byte("process 7 since 2026-01-02T03:04:05Z\n"), 0o644))
	unlock, killed, err = journal.Lock(path)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), killed, "the previous holder did not release the lock")
	unlock()
}

// Holder returns the holder of the lock, creates no file, and ignores text that a killed process left.
func TestWhoHasTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	holder := func() string {
		said, err := journal.Holder(path)
		require.NoError(t, err)
		return said
	}
	require.Empty(t, holder())
	require.NoFileExists(t, path)
	unlock, _, err := journal.Lock(path)
	require.NoError(t, err)
	require.Regexp(t, fmt.Sprintf(`^process %d since \S+Z$`, os.Getpid()), holder())
	unlock()
	require.Empty(t, holder())
	require.NoError(t, os.WriteFile(path, []byte("process 7 since 2026-01-02T03:04:05Z\n"), 0o644))
	require.Empty(t, holder(), "it was killed")
	unlock, _, err = journal.Lock(path)
	require.NoError(t, err, "Holder did not keep the lock")
	unlock()
}

// A process that has just taken the lock has not written its name yet.
func TestLockWithoutAName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	back := journal.SetPatience(5)
	_, _, err = journal.Lock(path)
	require.EqualError(t, err, "locked by another process", "the holder never writes its name")
	back()
	time.AfterFunc(50*time.Millisecond, func() { _, _ = f.WriteString("process 9 since 2026-01-02T03:04:05Z\n") })
	_, _, err = journal.Lock(path)
	require.EqualError(t, err, "locked by process 9 since 2026-01-02T03:04:05Z")
}
