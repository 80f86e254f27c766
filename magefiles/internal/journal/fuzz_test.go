package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/journal"
)

// FuzzJournal checks that any file is either read as a journal or reported as damaged. A journal that was read can be opened and appended to: it
// keeps its entries and returns the new one.
func FuzzJournal(f *testing.F) {
	for _, text := range []string{
		"", "\n", "{}\n", `{"seq":1}` + "\n", `{"seq":1}` + "\n" + `{"seq":2,"kind":"step","body":{"a":[1]}}` + "\n" + `{"seq":3`, `{"seq":2}` + "\n", "\x00\x00\x00\n", `{"seq":1}` + "\n\x00\x00",
		`{"seq":1,"time":"x"}` + "\n" + `{"seq":2}` + "\n", `{"seq":1e400}` + "\n\n", `{"seq":1,"body":` + "\n}\n", `{"seq":1,"seq":2}` + "\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "j.jsonl")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		before, err := journal.Read(path)
		kept, rerr := os.ReadFile(path)
		require.NoError(t, rerr)
		require.Equal(t, data, append([]byte{}, kept...), "reading changes nothing")
		if err != nil {
			require.ErrorIs(t, err, journal.ErrDamaged)
			_, _, err = journal.Open(path, "1", "p")
			require.ErrorIs(t, err, journal.ErrDamaged)
			return
		}
		j, opened, err := journal.Open(path, "1", "p")
		require.NoError(t, err)
		require.Equal(t, before, opened)
		require.NoError(t, j.Append("step", map[string]int{"n": 1}))
		require.NoError(t, j.Close())
		after, err := journal.Read(path)
		require.NoError(t, err)
		require.Len(t, after, len(before)+1)
		require.Equal(t, before, append([]journal.Entry(nil), after[:len(before)]...))
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, len(before) == 0 || bytes.HasPrefix(data, now[:bytes.IndexByte(now, '\n')]))
	})
}
