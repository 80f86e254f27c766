package view_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// wait shows a wait that is polled at an interval in seconds.
func wait(v *view.View, seconds []int, held func(second int) bool) {
	begin := time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC)
	p := pause.Progress{
		What:  "the index",
		Since: begin,
		Until: begin.Add(time.Hour),
	}
	for _, s := range seconds {
		p.At = begin.Add(time.Duration(s) * time.Second)
		p.Seen = pause.Seen{Says: "it lacks a.conda", Held: held(s)}
		v.Waiting(p)
	}
	p.Ended = true
	v.Waiting(p)
}

// During a wait a log gets a line every ten seconds, and a terminal one line. Both get a line when a person must act.
func TestOutputOfAWait(t *testing.T) {
	never := func(int) bool { return false }
	for name, c := range map[string]struct {
		looks    []int
		held     func(int) bool
		log      int
		terminal int
	}{
		"short":              {[]int{0, 1, 3, 7}, never, 0, 0},
		"long":               {[]int{0, 6, 12, 18, 24, 30, 36}, never, 3, 1},
		"held at once":       {[]int{0, 1, 2}, func(int) bool { return true }, 1, 1},
		"held a second time": {[]int{0, 1, 2, 3, 4}, func(s int) bool { return s == 1 || s == 3 }, 2, 2},
		"held for long":      {[]int{0, 5, 10, 15, 20, 25}, func(s int) bool { return s > 4 }, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, color := range []bool{false, true} {
				var said bytes.Buffer
				wait(&view.View{Out: io.Discard, Err: &said, Color: color}, c.looks, c.held)
				want := map[bool]int{false: c.log, true: c.terminal}[color]
				require.Equal(t, want, strings.Count(said.String(), "▸ waiting for the index since 15:04:00, until 16:04:00: it lacks a.conda"), said.String())
			}
		})
	}
}

// The live line of a step shows the wait, until the wait has ended.
func TestAWaitOnTheLiveLine(t *testing.T) {
	v, said := newScreen(100)

	require.NoError(t, v.Step("visible", func() (string, error) {
		wait(v, []int{0}, func(int) bool { return false })
		time.Sleep(1200 * time.Millisecond)
		require.NotContains(t, said.raw(), "waiting")
		p := pause.Progress{What: "the index", Seen: pause.Seen{Says: "it lacks b.conda"}}
		v.Waiting(p)
		require.Eventually(t, func() bool { return strings.Contains(said.raw(), "waiting for the index since") }, 10*time.Second, 10*time.Millisecond)
		p.Ended = true
		v.Waiting(p)
		return "", nil
	}))
}
