package pause_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pause"
)

// clock is one that only a pause moves.
type clock struct {
	at     time.Time
	paused []time.Duration
}

func (c *clock) wait(most time.Duration) pause.Wait {
	return pause.Wait{
		For: most,
		Now: func() time.Time { return c.at },
		Pause: func(ctx context.Context, d time.Duration) error {
			c.at = c.at.Add(d)
			c.paused = append(c.paused, d)
			return context.Cause(ctx)
		},
	}
}

// comes is a look that sees it the n-th time.
func comes(n int) func(context.Context) (string, bool, error) {
	looks := 0
	return func(context.Context) (string, bool, error) {
		looks++
		return fmt.Sprintf("look %d", looks), looks == n, nil
	}
}

func TestUntil(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		comes, looks int
		most         time.Duration
		paused       []time.Duration
		err          string
	}{
		{comes: 1, looks: 1, most: 0},
		{comes: 2, looks: 1, most: 0, err: "not there after 0s: look 1"},
		{comes: 1, looks: 1, most: 20 * s},
		{comes: 3, looks: 3, most: 20 * s, paused: []time.Duration{s / 2, s}},
		{comes: 99, looks: 4, most: 3 * s, paused: []time.Duration{s / 2, s, 3 * s / 2}, err: "not there after 3s: look 4"},
		{comes: 7, looks: 7, most: time.Hour, paused: []time.Duration{s / 2, s, 2 * s, 4 * s, 8 * s, 10 * s}},
	} {
		clock, told := &clock{}, []string{}
		w := clock.wait(c.most)
		w.Tell = func(seen string, since, most time.Duration) {
			require.Equal(t, c.most, most)
			require.Less(t, since, most)
			told = append(told, seen)
		}
		seen, err := w.Until(t.Context(), comes(c.comes))
		require.Equal(t, c.paused, clock.paused)
		require.Len(t, told, c.looks-1)
		if c.err == "" {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("look %d", c.looks), seen)
			continue
		}
		require.EqualError(t, err, c.err)
		var late *pause.LateError
		require.ErrorAs(t, err, &late)
		require.Equal(t, fmt.Sprintf("look %d", c.looks), late.Seen)
	}
}

// What ends a wait early is the look's error, or the reason of whoever leaves; a look that hangs is one that saw nothing.
func TestUntilIsEnded(t *testing.T) {
	broken, left := errors.New("the container has exited"), errors.New("interrupted")
	_, err := (&clock{}).wait(time.Hour).Until(t.Context(), func(context.Context) (string, bool, error) { return "", false, broken })
	require.Same(t, broken, err)

	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = (&clock{}).wait(time.Hour).Until(ctx, func(ctx context.Context) (string, bool, error) {
		cancel(left)
		return "", false, ctx.Err()
	})
	require.Same(t, left, err)

	ctx, cancel = context.WithCancelCause(t.Context())
	w := (&clock{}).wait(time.Hour)
	w.Tell = func(string, time.Duration, time.Duration) { cancel(left) }
	_, err = w.Until(ctx, comes(99))
	require.Same(t, left, err)

	w = (&clock{}).wait(0)
	w.Look = time.Millisecond
	_, err = w.Until(t.Context(), func(ctx context.Context) (string, bool, error) {
		<-ctx.Done()
		return "", false, ctx.Err()
	})
	require.EqualError(t, err, "not there after 0s: there was no answer")
}
