package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

const (
	faultRate = 0.2 // fraction of calls to the embedded servers that fail
	maxKills  = 6
	maxRuns   = 60 // maximum number of runs of one release; a release that needs more fails
)

// errKilled is the cause of the cancellation when a release is killed midway.
var errKilled = errors.New("killed")

// moment determines when a release is killed: some time after its journal has grown by some entries. The zero value means never.
type moment struct {
	entries int
	after   time.Duration
}

// runRelease makes the release in a separate process. With faults, it kills that process several times, at moments that the seed spreads over the
// whole release, and restarts it until it succeeds.
func (r *run) runRelease(ctx context.Context, args []string) error {
	if r.Seed == 0 {
		r.report.Runs = 1
		return r.runAndKill(ctx, moment{}, args...)
	}
	moments := rand.New(rand.NewPCG(r.Seed, 1))
	for r.report.Runs < maxRuns {
		r.report.Runs++
		var when moment
		if r.report.Kills < maxKills {
			when = moment{entries: 3 + moments.IntN(12), after: time.Duration(moments.IntN(300)) * time.Millisecond}
		}
		err := r.runAndKill(ctx, when, args...)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errKilled):
			r.report.Kills++
			r.Reporter.Heading("— the release was killed; it runs again —")
		default:
			r.Reporter.Heading("— a fault ended the release; it runs again —")
		}
	}
	return operr.New("rehearse again with the same seed, the value of -faults", "the release has not ended after %d runs", r.report.Runs)
}

// `runAndKill` runs a target in the clone, and kills it at the given moment.
func (r *run) runAndKill(ctx context.Context, when moment, args ...string) error {
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if when.entries > 0 {
		go r.killer(inside, cancel, when)
	}
	err := r.Runner.Run(inside, r.child(io.MultiWriter(r.Out, &r.said), io.MultiWriter(r.Err, &r.said), when.entries > 0, args...))
	if ended := r.endLines(); err == nil {
		err = ended
	}
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return &operr.Error{Summary: fmt.Sprintf("the release ended with exit status %d", exit.Code), Status: exit.Code, Next: cureOf(r.said.Next()) + ", commit, and run `mage rehearse` again", Err: err}
	}
	return err
}

// endLines flushes the last line of a child process, which may have no newline if the process was killed.
func (r *run) endLines() error { return errors.Join(r.Out.EndLine(), r.Err.EndLine()) }

// cureOf drops from a next step the part about how to continue or undo the release, which is useless in a rehearsal.
func cureOf(next string) string {
	for _, on := range []string{"; then `mage release`", "; then run `mage release`", "; or `mage undo`", "; or run `mage undo`", " and commit your change, which the release"} {
		next, _, _ = strings.Cut(next, on)
	}
	if next == "" || strings.Contains(next, "`mage release`") || strings.Contains(next, "`mage undo`") {
		return "correct the error above"
	}
	return next
}

// killer waits for the moment, then kills the release.
func (r *run) killer(ctx context.Context, kill context.CancelCauseFunc, when moment) {
	target := r.entries() + when.entries
	_, err := pause.Wait{First: 5 * time.Millisecond}.Until(ctx, func(context.Context) (pause.Seen, error) {
		return pause.Seen{Done: r.entries() >= target}, nil
	})
	if err == nil && pause.For(ctx, when.after) == nil {
		kill(errKilled)
	}
}

// entries counts the entries in the release journal.
func (r *run) entries() int {
	files, _ := filepath.Glob(filepath.Join(r.clone, ".git", folders.State, "releases", "*.jsonl")) // the pattern is well-formed
	n := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil {
			n += bytes.Count(data, []byte("\n"))
		}
	}
	return n
}

// mage runs a target in the clone, and returns its output.
func (r *run) mage(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	c := r.child(&out, &said, false, args...)
	c.Answers = true
	if err := r.Runner.Run(ctx, c); err != nil {
		return "", operr.New("", "%s: %w", args[0], err).WithDetail(said.String())
	}
	return out.String(), nil
}

// child returns the command that runs a target in the clone, with the environment of the embedded world. Only this environment, and the mark in the
// clone, indicate to the target that this is a rehearsal.
func (r *run) child(out, said io.Writer, abrupt bool, args ...string) command.Cmd {
	return command.Cmd{
		Name:    r.Program,
		Args:    args,
		Dir:     r.root,
		Env:     command.Setenv(r.world.Environ(r.gitEnviron(r.Environ)), r.further...),
		Stdout:  out,
		Stderr:  said,
		Secrets: r.world.Secrets(),
		Gentle:  true,
		Abrupt:  abrupt,
	}
}
