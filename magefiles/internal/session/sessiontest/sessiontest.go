// Package sessiontest tests operations by killing them at every possible point and resuming them.
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

// Site is an environment in which an operation runs.
type Site[P session.Plan] struct {
	// Operation returns a new Operation, as each process would create it. Its Written is replaced; the other functions are called as they are.
	Operation func() *session.Operation[P]

	Done   func(t *testing.T) // fails unless the site is in the state after a complete run
	Undone func(t *testing.T) // fails unless the site is in the state before the run; nil if nothing can be undone

	// Break makes the site's server answer the next `after` requests and reject all later ones, as if the process had been killed in the middle of a
	// Do or a Revert. A negative number means no limit. If Break is nil, these tests are skipped.
	Break func(after int)

	// Chained means that each site starts with the state and journals of the previous one. Then the next site shows that another run may begin after
	// an undo, and no additional site is needed for that.
	Chained bool
}

// errKilled ends a run like a kill: nothing more is recorded.
var errKilled = errors.New("the process was killed")

// CheckKills checks that an operation can be continued and undone, with the correct result, wherever it is killed. It kills runs at sites from start:
//
//   - after each journal entry, where it also kills the continuation once more before it lets the next one succeed;
//   - before each journal entry is written, when the step's work is already done;
//   - after each request, using Break.
//
// Each of these runs is continued at one site and undone at another. If the run was killed at an entry, the undo is also killed before its end is
// written. Then, at one site, the undo is run again; at another one, the operation is run instead.
func CheckKills[P session.Plan](t *testing.T, start func(t *testing.T) Site[P]) {
	t.Helper()
	entries, chained := 0, false
	t.Run("whole", func(t *testing.T) {
		w := start(t)
		chained = w.Chained
		require.NoError(t, runUntilKilled(w, 0, &entries))
		w.Done(t)
		_, err := w.Operation().Undo(t.Context())
		require.ErrorContains(t, err, "there is nothing to undo")
	})
	require.Greater(t, entries, 2, "a journal has a plan, steps and an end")
	ways := []string{"undone", "undone twice", "undone, and run"}
	if chained {
		ways = ways[1:] // undoing twice includes undoing once
	}
	most := 0 // maximum number of entries at any site; it varies if a site starts where another one ended
	killed := func(t *testing.T, w Site[P], n int) (has int, over bool) {
		if err := runUntilKilled(w, n, nil); err != nil {
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
		checkContinued(t, fmt.Sprintf("after entry %d", n), ways, start, func(t *testing.T, w Site[P]) bool {
			_, over := killed(t, w, n)
			require.True(t, chained || !over)
			return !over
		})
	}
	for n := 2; n <= max(entries, most); n++ { // the first entry, the plan, is written atomically
		checkContinued(t, fmt.Sprintf("before entry %d", n), ways, start, func(t *testing.T, w Site[P]) bool {
			has, _ := killed(t, w, n)
			if has == n {
				forget(t, w)
			}
			return has == n
		})
	}
	broken(t, start)
}

// checkContinued kills a run, and checks that it can be continued, and undone in each of the given ways. If the run ends before it is killed, the
// site must be in the state after a complete run.
func checkContinued[P session.Plan](t *testing.T, name string, ways []string, start func(t *testing.T) Site[P], kill func(t *testing.T, w Site[P]) bool) {
	t.Run(name, func(t *testing.T) {
		w := start(t)
		if !kill(t, w) {
			w.Done(t)
			return
		}
		past, err := w.Operation().Last()
		require.NoError(t, err)
		if err := runUntilKilled(w, lines(t, past.Path)+1, nil); err != nil {
			require.ErrorIs(t, err, errKilled)
			require.NoError(t, runUntilKilled(w, 0, nil))
		}
		w.Done(t)
	})
	for _, then := range ways {
		t.Run(then+" "+name, func(t *testing.T) {
			w := start(t)
			if w.Undone == nil {
				t.Skip("the operation has no undo")
			}
			if !kill(t, w) {
				w.Done(t)
				return
			}
			undo(t, w)
			w.Undone(t)
			if then != "undone" {
				forget(t, w) // as if killed before the undo's end was written
			}
			if then == "undone twice" {
				undo(t, w)
				w.Undone(t)
			}
			if w.Chained && then == "undone twice" {
				return
			}
			require.NoError(t, runUntilKilled(w, 0, nil), "another session may begin, or this session may continue")
			w.Done(t)
		})
	}
}

// broken kills a run at each request to the server. It also kills the undo of a complete run whose end was not recorded.
func broken[P session.Plan](t *testing.T, start func(t *testing.T) Site[P]) {
	if start(t).Break == nil {
		return
	}
	over := false
	for n := 0; !over; n++ {
		checkContinued(t, fmt.Sprintf("after request %d", n), []string{"undone"}, start, func(t *testing.T, w Site[P]) bool {
			w.Break(n)
			over = runUntilKilled(w, 0, nil) == nil
			w.Break(-1)
			if over {
				forget(t, w)
			} else if past, err := w.Operation().Last(); err == nil && past == nil {
				require.ErrorIs(t, runUntilKilled(w, 1, nil), errKilled) // the run was killed in Make
			}
			return true
		})
	}
	over = start(t).Undone == nil
	for n := 0; !over; n++ {
		t.Run(fmt.Sprintf("undone after request %d of an undo", n), func(t *testing.T) {
			w := start(t)
			require.NoError(t, runUntilKilled(w, 0, nil))
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

// forget removes the last journal entry, as if the process had been killed before writing it.
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

// runUntilKilled runs the operation, and kills it when its journal has `most` entries, or never if most is 0. It stores the number of entries in
// `count`.
func runUntilKilled[P session.Plan](w Site[P], most int, count *int) error {
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
