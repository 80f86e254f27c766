package e2e_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// begun is the step that the release of the clone has begun last; "" before there is one.
func (r *releasing) begun() (step string) {
	past, err := trace.Last(filepath.Join(r.dir, ".git", "pixi-release"))
	if err != nil || past == nil {
		return "" // it is being written
	}
	for _, event := range past.Events {
		if event.Kind == workflow.Started {
			step = event.Step
		}
	}
	return step
}

// stoppedBy types Ctrl-C, and wants the program to end by it: the exit status, and that the screen ends with what is said to it.
func stoppedBy(t *testing.T, terminal *ptytest.Terminal, wide int, says ...string) {
	t.Helper()
	terminal.Type("\x03")
	said, code := terminal.End()
	require.Equal(t, 130, code, said)
	require.NotContains(t, said, "mage targets, waiting")
	if strings.Contains(said, mageLeft) {
		return // on a busy machine
	}
	var want []string
	for _, line := range says {
		want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
	}
	rows := terminal.Screen()
	for i := range rows {
		rows[i] = strings.TrimPrefix(rows[i], "^C") // it is taken away, unless somebody writes at that moment
	}
	require.Equal(t, append(want, ""), shownFrom(t, rows, want[0]))
}

// One release is stopped by Ctrl-C in each of its steps, the first time in preflight, and gone on with each time. Its terminal is made narrower while it
// asks, and is a narrow one every second time. Whoever goes on is told what is left, which begins with the step that was stopped, or behind it.
func TestCtrlCInEachStep(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	asked := make(chan struct{}, 100)
	hangs := func(q *http.Request) bool {
		asked <- struct{}{}
		<-q.Context().Done()
		return true
	}
	r.gate.refuses.Store(&hangs)
	x, _ := r.start("release", "-to=patch", "-yes")
	terminal := ptytest.StartAt(t, 40, x)
	<-asked
	stoppedBy(t, terminal, 40, interrupted...)
	r.refuseUploads("")
	r.untouched()

	order := []string{
		trace.StepCommit, trace.StepCheck, trace.StepBuild, trace.StepImport, trace.StepTag, trace.StepPush, trace.StepPublish, trace.StepVisible, trace.StepVerify,
		trace.StepHub,
	}
	var stopped []string
	last := -1 // in order
	for !r.ended() {
		wide := []int{80, 40}[len(stopped)%2]
		x, _ := r.start("release", "-to=patch")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("[y/N] ")
		if last >= 0 {
			_, todo, _ := strings.Cut(strings.Join(terminal.Screen(), " "), "To do: ")
			left := slices.IndexFunc(order, func(step string) bool { return strings.HasPrefix(todo, step) })
			require.GreaterOrEqual(t, left, last, "stopped in %v, and to do is %.100s", stopped, todo)
		}
		terminal.Resize(40)
		terminal.Type("y\n")
		step := ""
		waitFor(t, "the next step", func() bool {
			for range 40 { // waitFor looks every 50 ms, and a step may be over by then
				if step = r.begun(); slices.Index(order, step) > last || strings.Contains(terminal.Said(), "is released") {
					return true
				}
				time.Sleep(time.Millisecond)
			}
			return false
		})
		if slices.Index(order, step) <= last {
			_, code := terminal.End()
			require.Zero(t, code)
			break
		}
		stopped, last = append(stopped, step), slices.Index(order, step)
		stoppedBy(t, terminal, 40, "Error: stopped by a signal (interrupt), at a safe point", "→ `mage release` goes on from here")
	}
	t.Log(stopped)
	require.Greater(t, len(stopped), 6)
	r.released("0.1.7")
}
