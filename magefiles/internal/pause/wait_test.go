package pause_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pause"
)

// watch is a clock that advances only when something pauses.
type watch struct {
	now    time.Time
	pauses []time.Duration
	told   []string
}

func newWatch() *watch { return &watch{now: time.Date(2026, 3, 4, 23, 59, 50, 0, time.UTC)} }

func (c *watch) on(w pause.Wait) pause.Wait {
	w.Now = func() time.Time { return c.now }
	w.Pause = func(ctx context.Context, d time.Duration) error {
		c.now, c.pauses = c.now.Add(d), append(c.pauses, d)
		return context.Cause(ctx)
	}
	w.Tell = func(p pause.Progress) {
		if !p.Ended {
			c.told = append(c.told, p.String())
		}
	}
	return w
}

func TestNumberOfLooks(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		wait   pause.Wait
		looks  int // which look meets the condition; 0 for none
		pauses []time.Duration
	}{
		"twice as long":            {pause.Wait{First: s, Most: 5 * s}, 6, []time.Duration{s, 2 * s, 4 * s, 5 * s, 5 * s}},
		"half as long again":       {pause.Wait{First: 2 * s, Times: 1.5, Most: 4 * s}, 5, []time.Duration{2 * s, 3 * s, 4 * s, 4 * s}},
		"always the same":          {pause.Wait{First: s}, 4, []time.Duration{s, s, s}},
		"there at once":            {pause.Wait{For: s}, 1, nil},
		"zero":                     {pause.Wait{}, 3, []time.Duration{s / 2, s / 2}},
		"the last look at the end": {pause.Wait{First: 4 * s, For: 10 * s}, 0, []time.Duration{4 * s, 4 * s, 2 * s}},
		"its time is over":         {pause.Wait{First: s, For: -s}, 0, nil},
		"one look":                 {pause.Wait{First: s, For: time.Nanosecond}, 0, []time.Duration{time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			clock, looks := newWatch(), 0
			p, err := clock.on(c.wait).Until(t.Context(), func(context.Context) (pause.Seen, error) {
				looks++
				return pause.Seen{Done: looks == c.looks, Says: "not there"}, nil
			})
			require.Equal(t, c.pauses, clock.pauses)
			require.Equal(t, len(c.pauses)+1, looks)
			require.True(t, p.Ended)
			if c.looks > 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, pause.ErrOver)
			require.Equal(t, "not there", p.Seen.Says, "the result of the last look")
		})
	}
}

func TestWhatEndsAWait(t *testing.T) {
	broken, person := errors.New("it is broken"), errors.New("stopped by a person")
	clock := newWatch()
	_, err := clock.on(pause.Wait{}).Until(t.Context(), func(context.Context) (pause.Seen, error) { return pause.Seen{}, broken })
	require.Equal(t, broken, err, "the error is returned unchanged and at once")
	require.Empty(t, clock.pauses)

	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = clock.on(pause.Wait{}).Until(ctx, func(context.Context) (pause.Seen, error) {
		cancel(person)
		return pause.Seen{}, broken
	})
	require.Equal(t, person, err, "the cause of the context is returned, not the error of the look")

	ctx, cancel = context.WithCancelCause(t.Context())
	_, err = pause.Wait{First: time.Hour, Tell: func(pause.Progress) { cancel(person) }}.Until(ctx, func(context.Context) (pause.Seen, error) { return pause.Seen{}, nil })
	require.Equal(t, person, err, "in the middle of a pause")
}

// A look that hangs is canceled when the time is over, but not before the minimum time for a look.
func TestHangingLook(t *testing.T) {
	for _, least := range []time.Duration{time.Millisecond, 30 * time.Millisecond} {
		began := time.Now()
		_, err := pause.Wait{For: 10 * time.Millisecond, Look: least}.Until(t.Context(), func(ctx context.Context) (pause.Seen, error) {
			<-ctx.Done()
			return pause.Seen{Says: "no answer"}, nil
		})
		require.ErrorIs(t, err, pause.ErrOver)
		require.GreaterOrEqual(t, time.Since(began), least)
	}
}

// While someone else must act, the time does not advance, and the reported end moves.
func TestSuspendedTime(t *testing.T) {
	clock, looks := newWatch(), 0
	p, err := clock.on(pause.Wait{What: "CI", First: 5 * time.Second, For: 10 * time.Second}).Until(t.Context(), func(context.Context) (pause.Seen, error) {
		looks++
		held := looks > 1 && looks < 100
		return pause.Seen{Held: held, Says: map[bool]string{true: "ann has to approve", false: "queued"}[held]}, nil
	})
	require.ErrorIs(t, err, pause.ErrOver)
	require.Equal(t, 101, looks)
	require.Equal(t, 10*time.Second, p.Waited)
	require.Equal(t, []string{
		"waiting for CI since 23:59:50, until Mar 5 00:00:00: queued",
		"waiting for CI since 23:59:50, until Mar 5 00:00:05: ann has to approve",
		"waiting for CI since 23:59:50, until Mar 5 00:00:10: ann has to approve",
	}, clock.told[:3])
}

func TestWaitWithoutALimit(t *testing.T) {
	clock := newWatch()
	require.Equal(t, "waiting for another build since 23:59:50", pause.Progress{What: "another build", Since: clock.now}.String())
}

func TestEndOfAWait(t *testing.T) {
	for _, done := range []bool{true, false} {
		var ended []bool
		_, _ = pause.Wait{For: time.Nanosecond, Tell: func(p pause.Progress) { ended = append(ended, p.Ended) }}.Until(t.Context(), func(context.Context) (pause.Seen, error) {
			return pause.Seen{Done: done}, nil
		})
		require.Equal(t, []bool{true}, ended)
	}
}
