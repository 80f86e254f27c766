package command_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// told records the lines that are shown to the user.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, text)
}

// A silent child is reported by its command line, with secrets masked. It is then ended, together with all processes that it started.
func TestSilentChild(t *testing.T) {
	for name, script := range map[string]string{
		"from the start":      "sleep 600",
		"after a while":       "echo begun; sleep 600",
		"that is not alone":   "sleep 600 & wait",
		"that ignores a TERM": "trap '' TERM; while true; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l told
			s := command.NewSystem([]string{"PATH=" + os.Getenv("PATH")}, []string{"the_secret_of_the_test"})
			s.Watch(command.Silence{Tell: 50 * time.Millisecond, End: 300 * time.Millisecond, Say: l.say, Set: "SILENCE=2h"})
			for _, gentle := range []bool{false, true} {
				err := s.Run(t.Context(), command.Cmd{Name: "sh", Args: []string{"-c", script, "the_secret_of_the_test"}, Gentle: gentle, Theirs: true})
				require.ErrorContains(t, err, "sh was stopped: `sh -c "+script)
				require.ErrorContains(t, err, "has printed nothing for 300ms, and was stopped")
				require.NotContains(t, err.Error(), "the_secret_of_the_test")
				require.Contains(t, operr.NextOf(err), "set `SILENCE=2h` to allow a longer silence")
				require.NoError(t, t.Context().Err())
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			// The second script may start slowly. It is then silent twice, before and after its output.
			require.GreaterOrEqual(t, len(l.lines), 2, "once for each silence: %q", l.lines)
			require.LessOrEqual(t, len(l.lines), 2*(1+strings.Count(script, "echo")), "once for each silence: %q", l.lines)
			require.Contains(t, l.lines[0], "has printed nothing for 50ms")
			require.NotContains(t, strings.Join(l.lines, ""), "the_secret_of_the_test")
		})
	}
}

// A child that writes occasionally, to either stream, has no time limit. A child that has ended is not reported, and without a limit no child is
// ended.
func TestChildThatWritesIsNotEnded(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		how    command.Silence
	}{
		"to its output": {"for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.25; done", command.Silence{Tell: time.Second, End: 2 * time.Second}},
		"to its errors": {"for i in 1 2 3 4 5 6 7 8; do printf . >&2; sleep 0.25; done", command.Silence{Tell: time.Second, End: 2 * time.Second}},
		"no limit":      {"sleep 0.5", command.Silence{}},
		"in time":       {"sleep 0.1", command.Silence{Tell: time.Minute, End: time.Minute}},
		"limited":       {"sleep 1", command.Silence{Tell: 100 * time.Millisecond, End: 200 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l told
			c.how.Say = l.say
			s := command.NewSystem([]string{"PATH=" + os.Getenv("PATH")}, nil)
			s.Watch(c.how)
			_, err := command.Output(t.Context(), s, command.Cmd{Name: "sh", Args: []string{"-c", c.script}, Theirs: true, Limited: name == "limited"})
			require.NoError(t, err)
			require.Empty(t, l.lines)
		})
	}
}

// If the caller's context ended the child, the error says so.
func TestCtrlCIsNotReportedAsSilence(t *testing.T) {
	s := command.NewSystem([]string{"PATH=" + os.Getenv("PATH")}, nil)
	s.Watch(command.Silence{End: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := s.Run(ctx, command.Cmd{Name: "sleep", Args: []string{"600"}, Theirs: true})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "said nothing")
}
