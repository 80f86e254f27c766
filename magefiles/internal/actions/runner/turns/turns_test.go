package turns

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// enter calls Enter with the value of a `concurrency:` key and returns once Enter has returned or the given number of callers are waiting.
func enter(t *testing.T, g *Groups, concurrency string, waiting int, cancel context.CancelCauseFunc) (result chan error, leave func()) {
	t.Helper()
	w, err := file.Read("ci.yml", []byte("on: push\nconcurrency: "+concurrency+"\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"))
	require.NoError(t, err)
	result = make(chan error, 1)
	left := make(chan struct{})
	ctx, end := context.WithCancelCause(t.Context())
	go func() {
		out, err := g.Enter(ctx, w.Top.At("concurrency"), expression.Env{Contexts: &expression.Object{}}, func(cause error) {
			end(cause)
			if cancel != nil {
				cancel(cause)
			}
		})
		result <- err
		if err == nil {
			<-left
			out()
		}
	}()
	for len(result) == 0 && waits(g) != waiting {
	}
	return result, func() { close(left) }
}

// waits returns the number of callers that wait, in all groups.
func waits(g *Groups) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, in := range g.all {
		n += len(in.waiting)
	}
	return n
}

// The cases follow GitHub's documentation of `concurrency`: one run is active, and only the newest of the others waits. With queue: max, all others
// wait.
func TestGroups(t *testing.T) {
	t.Run("a newer one takes the place of the one that waits", func(t *testing.T) {
		var g Groups
		first, leave := enter(t, &g, "g", 0, nil)
		require.NoError(t, <-first)
		second, _ := enter(t, &g, "G", 1, nil)
		third, leaveThird := enter(t, &g, "{group: g}", 1, nil)
		require.ErrorIs(t, <-second, ErrReplaced)
		other, leaveOther := enter(t, &g, "h", 1, nil)
		require.NoError(t, <-other, "another group does not wait")
		leave()
		require.NoError(t, <-third)
		leaveThird()
		leaveOther()
	})
	t.Run("cancel-in-progress", func(t *testing.T) {
		var g Groups
		canceled := make(chan error, 1)
		first, leave := enter(t, &g, "g", 0, func(cause error) { canceled <- cause })
		require.NoError(t, <-first)
		second, leaveSecond := enter(t, &g, "{group: g, cancel-in-progress: true}", 1, nil)
		require.ErrorIs(t, <-canceled, ErrCanceled)
		leave()
		require.NoError(t, <-second)
		leaveSecond()
	})
	t.Run("queue: max", func(t *testing.T) {
		var g Groups
		first, leave := enter(t, &g, "g", 0, nil)
		require.NoError(t, <-first)
		var leaves []func()
		var waiting []chan error
		for i := range maxQueue {
			w, l := enter(t, &g, "{group: g, queue: max}", i+1, nil)
			waiting, leaves = append(waiting, w), append(leaves, l)
		}
		full, _ := enter(t, &g, "{group: g, queue: max}", -1, nil)
		require.ErrorIs(t, <-full, ErrFull)
		leave()
		for i, w := range waiting {
			require.NoError(t, <-w)
			leaves[i]()
		}
	})
	t.Run("one that is canceled waits no longer", func(t *testing.T) {
		var g Groups
		first, leave := enter(t, &g, "g", 0, nil)
		require.NoError(t, <-first)
		ctx, end := context.WithCancelCause(t.Context())
		end(ErrCanceled)
		w, err := file.Read("ci.yml", []byte("on: push\nconcurrency: g\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"))
		require.NoError(t, err)
		_, err = g.Enter(ctx, w.Top.At("concurrency"), expression.Env{}, nil)
		require.ErrorIs(t, err, ErrCanceled)
		require.Zero(t, waits(&g))
		leave()
	})
	t.Run("what excludes each other", func(t *testing.T) {
		var g Groups
		for text, want := range map[string]string{
			"{group: g, cancel-in-progress: true, queue: max}":       "ci.yml:2:14: cancel-in-progress cannot be combined with `queue: max`",
			"'${{ github.none }}'":                                   "ci.yml:2:14: the name of the concurrency group is empty here",
			"{group: g, cancel-in-progress: \"of ${{ 'course' }}\"}": `ci.yml:2:45: cancel-in-progress must be true or false, but is "of course" here`,
		} {
			result, _ := enter(t, &g, text, -1, nil)
			require.EqualError(t, <-result, want)
		}
	})
}
