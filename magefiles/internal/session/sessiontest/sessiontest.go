// Package sessiontest ends the sessions of an operation after each entry of their journals, and lets them go on. It serves tests only.
package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/session"
)

// Site is where an operation works.
type Site[P session.Plan] struct {
	// Operation makes the operation, as each process makes its own.
	Operation func() *session.Operation[P]

	Done   func(t *testing.T) // wants it to be as a whole run leaves it
	Undone func(t *testing.T) // wants it to be as it was before; nil where nothing can be taken back
}

// errKilled ends a run as a kill does: nothing is recorded any more.
var errKilled = errors.New("the process was killed")

// Killed wants an operation to come to the same end, and to be taken back, wherever a run of it is ended: at sites that start makes, it ends
// one after each entry of the journal, and each continuation once more, before it lets the last one go through.
func Killed[P session.Plan](t *testing.T, start func(t *testing.T) Site[P]) {
	t.Helper()
	entries := 0
	t.Run("whole", func(t *testing.T) {
		w := start(t)
		_, err := ended(w, 0, &entries)
		require.NoError(t, err)
		w.Done(t)
		_, err = w.Operation().Undo(t.Context())
		require.ErrorContains(t, err, "there is nothing to undo")
	})
	require.Greater(t, entries, 2, "a journal has a plan, steps and an end")
	for n := 1; n < entries; n++ {
		t.Run(fmt.Sprintf("after entry %d", n), func(t *testing.T) {
			w := start(t)
			_, err := ended(w, n, nil)
			require.ErrorIs(t, err, errKilled)
			_, err = ended(w, n+1, nil)
			if err != nil {
				require.ErrorIs(t, err, errKilled)
				_, err = ended(w, 0, nil)
				require.NoError(t, err)
			}
			w.Done(t)
		})
		t.Run(fmt.Sprintf("undone after entry %d", n), func(t *testing.T) {
			w := start(t)
			if w.Undone == nil {
				t.Skip("nothing can be taken back")
			}
			_, err := ended(w, n, nil)
			require.ErrorIs(t, err, errKilled)
			_, err = w.Operation().Undo(t.Context())
			require.NoError(t, err)
			w.Undone(t)
			_, err = ended(w, 0, nil)
			require.NoError(t, err, "another one may begin")
			w.Done(t)
		})
	}
}

// ended runs the operation, and ends it when its journal has so many entries; never for 0. It counts them.
func ended[P session.Plan](w Site[P], most int, count *int) (*session.Past[P], error) {
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
	return o.Run(context.Background())
}
