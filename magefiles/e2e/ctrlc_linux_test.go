package e2e_test

import (
	"net/http"
	"os"
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

// `begun` returns the step that the clone's release started last, or "" if it has not started any.
func (r *releasing) begun() (step string) {
	past, err := trace.Last(filepath.Join(r.dir, ".git", "pixi-release"))
	if err != nil || past == nil {
		return "" // the journal is being written
	}
	for _, event := range past.Events {
		if event.Kind == workflow.Started {
			step = event.Step
		}
	}
	return step
}

// stoppedBy types Ctrl-C and checks that the program exits with the status for Ctrl-C and that the screen ends with the expected text.
func stoppedBy(t *testing.T, terminal *ptytest.Terminal, wide int, says ...string) {
	t.Helper()
	terminal.Type("\x03")
	said, code := terminal.End()
	require.Equal(t, 130, code, said)
	require.NotContains(t, said, "mage targets, waiting")
	require.True(t, terminal.Echoes(), said)
	require.LessOrEqual(t, strings.Count(said, "Error: "), 1, said)
	if strings.Contains(said, mageLeft) {
		return // the machine is busy
	}
	var want []string
	for _, line := range says {
		want = append(want, strings.Split(columns.Wrap(line, wide, 2), "\n")...)
	}
	rows := terminal.Screen()
	for i := range rows {
		rows[i] = strings.TrimPrefix(rows[i], "^C") // the program erases the ^C, unless it prints something at the same moment
	}
	require.Equal(t, append(want, ""), shownFrom(t, rows, want[0]))
}

// One release is interrupted by Ctrl-C in each of its steps, beginning with preflight, and resumed each time. The terminal is made narrower during
// the question, and every second run starts on a narrow terminal. A resumed release lists the remaining steps, beginning with the interrupted step or
// the one after it.
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
	last := -1 // index in order of the last interrupted step
	for !r.ended() {
		wide := []int{80, 40}[len(stopped)%2]
		x, _ := r.start("release", "-to=patch")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("[y/N] ")
		if last >= 0 {
			shown, todo, resumed := strings.Cut(strings.Join(terminal.Screen(), " "), "To do: ")
			if resumed {
				left := slices.IndexFunc(order, func(step string) bool { return strings.HasPrefix(todo, step) })
				require.GreaterOrEqual(t, left, last, "stopped in %v, and to do is %.100s", stopped, todo)
			} else { // it was stopped before its commit was made
				require.Equal(t, []string{trace.StepCommit}, stopped, shown)
				r.untouched()
			}
		}
		terminal.Resize(40)
		terminal.Type("y\n")
		step := ""
		waitFor(t, "the next step", func() bool {
			for range 40 { // waitFor polls every 50 ms, so a step may already be over
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
		stoppedBy(t, terminal, 40, "Error: stopped by a signal (interrupt), at a safe point", "→ `mage release` continues from here")
	}
	t.Log(stopped)
	require.Greater(t, len(stopped), 6)
	r.released("0.1.7")
}

// A release is interrupted by Ctrl-C while a hook holds its commit. The files are restored, so the next run shows the whole plan, and not what is left.
func TestCtrlCInAHook(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	held := filepath.Join(t.TempDir(), "held")
	hook(t, filepath.Join(r.dir, ".git", "hooks"), "pre-commit", "touch "+held+"; exec sleep 60")
	for _, wide := range []int{80, 40} {
		x, _ := r.start("release", "-to=patch", "-yes")
		terminal := ptytest.StartAt(t, wide, x)
		waitFor(t, "the hook", func() bool { _, err := os.Stat(held); return err == nil })
		stoppedBy(t, terminal, wide, "Error: stopped by a signal (interrupt), at a safe point", "→ `mage release` continues from here")
		r.untouched()
		require.NoError(t, os.Remove(held))
	}
	require.NoError(t, os.Remove(filepath.Join(r.dir, ".git", "hooks", "pre-commit")))
	x, _ := r.start("release")
	terminal := ptytest.StartAt(t, 80, x)
	terminal.Expect("Release v0.1.7? [y/N] ")
	require.Contains(t, terminal.Said(), "15 edits in 11 files")
	terminal.Type("y\n")
	said, code := terminal.End()
	require.Zero(t, code, said)
	r.released("0.1.7")
}

// During a rehearsal, Ctrl-C interrupts both the rehearsal and its child, the release. Only the rehearsal reports it.
func TestCtrlCInARehearsal(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	r.env = command.Unset(r.env, "CI")
	for _, wide := range []int{80, 40} {
		x, _ := r.start("rehearse")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("bump and commit")
		stoppedBy(t, terminal, wide, interrupted...)
		require.Equal(t, 1, strings.Count(terminal.Said(), "Error: "), terminal.Said())
		require.NotContains(t, terminal.Said(), "terminated")
	}
}

// An undo is interrupted by Ctrl-C during its push, on a wide and on a narrow terminal. Running the same undo again completes it.
func TestCtrlCInAnUndo(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.env = command.Unset(r.env, "CI")
	r.refuseUploads("mono-core")
	r.refused(1, "", "release", "-to=patch", "-yes")
	held := filepath.Join(t.TempDir(), "held")
	hook(t, r.dir+"/.git/hooks", "pre-push", "echo >>"+held+"; exec sleep 300")
	for i, wide := range []int{80, 40} {
		x, _ := r.start("undo")
		terminal := ptytest.StartAt(t, wide, x)
		terminal.Expect("[y/N] ")
		terminal.Resize(40)
		terminal.Type("y\n")
		waitFor(t, "the push", func() bool {
			return fileExists(held) && strings.Count(readFile(t, filepath.Dir(held), "held"), "\n") > i
		})
		stoppedBy(t, terminal, 40, undoInterrupted...)
		require.Equal(t, "v0.1.7", git(t, r.dir, "tag", "--list", "v0.1.7"), "the tag is removed after the push")
	}
	require.NoError(t, os.Remove(filepath.Join(r.dir, ".git", "hooks", "pre-push")))
	h := r.holdGit() // and once after it has undone the release, while it asks origin what is next
	h.hold(t, "after", "tag --delete")
	terminal := ptytest.StartAt(t, 80, r.terminal("undo", "-yes"))
	h.await(t)
	h.hold(t, "before", "ls-remote")
	h.release()
	h.await(t)
	terminal.Type("\x03")
	said, code := terminal.End()
	require.Zero(t, code, said)
	rows := terminal.Screen()
	require.Equal(t, []string{"v0.1.7 was undone", "→ `mage status` says what is next", ""}, rows[len(rows)-3:])
	r.undone("pushed, and reverted")
}

// A deployment is interrupted by Ctrl-C in each of its steps. Afterwards all hosts run one image, and the same command deploys the other.
func TestCtrlCInADeployment(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 2, 18580)
	w.must("deploy:setup", "-yes")
	w.must("deploy:to", "staging", "-digest="+w.push("1111", false), "-yes")
	two := w.push("2222", false)
	stopped := 0
	w.latency.Store(int64(50 * time.Millisecond)) // no user reacts that fast
	for i, step := range []string{"lock", "pull", "start", "gate", "switch"} {
		wide := []int{80, 40}[i%2]
		terminal := ptytest.StartAt(t, wide, w.terminal("deploy:to", "staging", "-digest="+two, "-yes")) // resumes an interrupted deployment
		terminal.Expect("\x1b[0m " + step + " ")
		terminal.Type("\x03")
		said, code := terminal.End()
		require.Contains(t, []int{0, 130}, code, said)
		if code == 130 {
			stopped++
			require.Equal(t, 1, strings.Count(said, "Error: "), said)
			require.Contains(t, said, "→ ", said)
		}
		runs := w.runs()
		require.Equal(t, runs[0], runs[1], "after %s: %s", step, said)
		if code == 130 {
			t.Log(step, runs[0])
		}
		if runs[0] != "1111" {
			break
		}
	}
	require.NotZero(t, stopped)
	w.must("deploy:to", "staging", "-digest="+two, "-yes")
	require.Equal(t, []string{"2222", "2222"}, w.runs())
}

// A deployment is interrupted by Ctrl-C in each step after its switch. The command that it shows continues it, and the last one completes it. No lock
// and no drift are left.
func TestCtrlCAfterTheSwitch(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 2, 18680)
	in("app/pixi.toml", `watch = "1s"`, "watch = \"1s\"\nkeep = 2")(t, w.root)
	w.must("deploy:setup", "-yes")
	for _, revision := range []string{"0000", "1111"} {
		w.must("deploy:to", "staging", "-digest="+w.push(revision, false), "-yes")
	}
	next := []string{"deploy:to", "staging", "-digest=" + w.push("2222", false)}
	terminal := ptytest.StartAt(t, 80, w.terminal(next...)) // the terminal becomes narrower at the question
	terminal.Expect("[y/N] ")
	terminal.Resize(40)
	terminal.Type("y\n")
	w.latency.Store(int64(50 * time.Millisecond)) // no user reacts that fast
	var stopped []string
	for i, step := range []string{"watch and drain", "remember", "stop", "prune", "unlock"} {
		if i > 0 {
			terminal = ptytest.StartAt(t, []int{80, 40}[i%2], w.terminal(next...))
		}
		terminal.Expect("\x1b[0m " + step + " ")
		terminal.Type("\x03")
		said, code := terminal.End()
		require.True(t, terminal.Echoes(), said)
		if code == 0 {
			break // the step was over
		}
		stopped = append(stopped, step)
		require.Equal(t, 130, code, said)
		require.Equal(t, 1, strings.Count(said, "Error: "), said)
		require.Contains(t, said, "Error: stopped by a signal (interrupt),")
		shown := strings.Join(strings.Fields(said[strings.LastIndex(said, "→ "):]), " ")
		require.Equal(t, "→ `mage "+strings.Join(next, " ")+"` continues from here", shown)
		require.Equal(t, []string{"2222", "2222"}, w.runs())
	}
	require.GreaterOrEqual(t, len(stopped), 3)
	w.latency.Store(0)
	w.must(append(next, "-yes")...)
	require.Equal(t, []string{"2222", "2222"}, w.runs())
	status := w.must("deploy:status", "-env=staging", "-json")
	require.NotContains(t, status, `"holder"`)
	require.NotContains(t, status, `"drift"`)
	require.Contains(t, w.must(append(next, "-yes")...), "run this image already")
}
