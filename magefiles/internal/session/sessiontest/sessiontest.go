// Package sessiontest ends the sessions of an operation wherever a kill may, and lets them go on. It serves tests only.
package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
)

// Site is where an operation works.
type Site[P session.Plan] struct {
	// Operation makes the operation, as each process makes its own. Its Written is taken; Confirm, Continue and the rest are called as they are.
	Operation func() *session.Operation[P]

	Done   func(t *testing.T) // wants it to be as a whole run leaves it
	Undone func(t *testing.T) // wants it to be as it was before; nil where nothing can be taken back

	// Break lets the world answer so many requests from now on, and refuse all after them, as those of a process that is gone are never sent;
	// a negative number is no limit. It ends a Do, or a Revert, in its middle. Nil leaves that out.
	Break func(after int)

	// Chained is for sites of which each begins where the one before it has ended, beside its journals. That another run may begin after an undo is
	// what the next site shows then: none is made for it alone.
	Chained bool
}

// errKilled ends a run as a kill does: nothing is recorded any more.
var errKilled = errors.New("the process was killed")

// Killed wants an operation to come to the same end, and to be taken back, wherever a run of it is ended. At sites that start makes, it ends
// one
//
//   - after each entry of the journal, and the continuation once more before the last one goes through;
//   - before each entry is on the disk: what a step did is done then, and nobody knows;
//   - after each request, by Break.
//
// Each of them is then gone on with, at one site, and taken back, at another. Where it was ended at an entry, the undo is ended too: before its
// end is on the disk. Then it is done again, at one more site, and given up for another run, in the last.
func Killed[P session.Plan](t *testing.T, start func(t *testing.T) Site[P]) {
	t.Helper()
	entries, chained := 0, false
	t.Run("whole", func(t *testing.T) {
		w := start(t)
		chained = w.Chained
		require.NoError(t, ended(w, 0, &entries))
		w.Done(t)
		_, err := w.Operation().Undo(t.Context())
		require.ErrorContains(t, err, "there is nothing to undo")
	})
	require.Greater(t, entries, 2, "a journal has a plan, steps and an end")
	ways := []string{"undone", "undone twice", "undone, and run"}
	if chained {
		ways = ways[1:] // who undoes it twice has undone it once
	}
	most := 0 // entries of any site: one that begins where another has ended may have more of them, or fewer
	killed := func(t *testing.T, w Site[P], n int) (has int, over bool) {
		if err := ended(w, n, nil); err != nil {
			require.ErrorIs(t, err, errKilled)
		}
		past, err := w.Operation().Last()
		require.NoError(t, err)
		has, over = lines(t, past.Path), past.End != ""
		most = max(most, has)
		if !over {
			most = max(most, has+1)
		}
		require.True(t, chained || has == n)
		return has, over
	}
	for n := 1; n < max(entries, most); n++ {
		continued(t, fmt.Sprintf("after entry %d", n), ways, start, func(t *testing.T, w Site[P]) bool {
			_, over := killed(t, w, n)
			require.True(t, chained || !over)
			return !over
		})
	}
	for n := 2; n <= max(entries, most); n++ { // the first one, the plan, is there as a whole, or nothing is
		continued(t, fmt.Sprintf("before entry %d", n), ways, start, func(t *testing.T, w Site[P]) bool {
			has, _ := killed(t, w, n)
			if has == n {
				forget(t, w)
			}
			return has == n
		})
	}
	broken(t, start)
}

// continued ends a run by kill, and wants it to go on, and to be taken back in each of these ways. A run that kill finds at its end before that is
// what a whole one is.
func continued[P session.Plan](t *testing.T, name string, ways []string, start func(t *testing.T) Site[P], kill func(t *testing.T, w Site[P]) bool) {
	t.Run(name, func(t *testing.T) {
		w := start(t)
		if !kill(t, w) {
			w.Done(t)
			return
		}
		past, err := w.Operation().Last()
		require.NoError(t, err)
		if err := ended(w, lines(t, past.Path)+1, nil); err != nil {
			require.ErrorIs(t, err, errKilled)
			require.NoError(t, ended(w, 0, nil))
		}
		w.Done(t)
	})
	for _, then := range ways {
		t.Run(then+" "+name, func(t *testing.T) {
			w := start(t)
			if w.Undone == nil {
				t.Skip("nothing can be taken back")
			}
			if !kill(t, w) {
				w.Done(t)
				return
			}
			undo(t, w)
			w.Undone(t)
			if then != "undone" {
				forget(t, w) // that it was taken back
			}
			if then == "undone twice" {
				undo(t, w)
				w.Undone(t)
			}
			if w.Chained && then == "undone twice" {
				return
			}
			require.NoError(t, ended(w, 0, nil), "another one may begin, or this one go on")
			w.Done(t)
		})
	}
}

// broken ends a run at each request to the world, and an undo of a whole one that is not known to have ended.
func broken[P session.Plan](t *testing.T, start func(t *testing.T) Site[P]) {
	if start(t).Break == nil {
		return
	}
	over := false
	for n := 0; !over; n++ {
		continued(t, fmt.Sprintf("after request %d", n), []string{"undone"}, start, func(t *testing.T, w Site[P]) bool {
			w.Break(n)
			over = ended(w, 0, nil) == nil
			w.Break(-1)
			if over {
				forget(t, w)
			} else if past, err := w.Operation().Last(); err == nil && past == nil {
				require.ErrorIs(t, ended(w, 1, nil), errKilled) // Make was not through
			}
			return true
		})
	}
	over = start(t).Undone == nil
	for n := 0; !over; n++ {
		t.Run(fmt.Sprintf("undone after request %d of an undo", n), func(t *testing.T) {
			w := start(t)
			require.NoError(t, ended(w, 0, nil))
			forget(t, w)
			w.Break(n)
			_, err := w.Operation().Undo(t.Context())
			w.Break(-1)
			if over = err == nil; !over {
				undo(t, w)
			}
			w.Undone(t)
		})
	}
}

func undo[P session.Plan](t *testing.T, w Site[P]) {
	past, err := w.Operation().Undo(t.Context())
	require.NoError(t, err, operr.NextOf(err))
	require.Equal(t, session.Undone, past.End)
}

// forget takes the last entry of the journal away: the kill came before it was on the disk.
func forget[P session.Plan](t *testing.T, w Site[P]) {
	past, err := w.Operation().Last()
	require.NoError(t, err)
	data, err := os.ReadFile(past.Path)
	require.NoError(t, err)
	data = bytes.TrimSuffix(data, []byte("\n"))
	require.NoError(t, os.WriteFile(past.Path, data[:bytes.LastIndexByte(data, '\n')+1], 0o644))
}

func lines(t *testing.T, path string) int {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return bytes.Count(data, []byte("\n"))
}

// ended runs the operation, and ends it when its journal has so many entries; never for 0. It counts them.
func ended[P session.Plan](w Site[P], most int, count *int) error {
	o := w.Operation()
	o.Written = func(entries int) error {
		if count != nil {
			*count = entries
		}
		if most > 0 && entries >= most {
			return errKilled
		}
		return nil
	}
	_, err := o.Run(context.Background())
	return err
}
