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
	faultRate = 0.2 // of all calls of the outside
	maxKills  = 6
	maxRuns   = 60 // of one release, before faults count as too many
)

// errKilled ends a release in the middle.
var errKilled = errors.New("killed")

// moment is when a release is killed: so long after so many more entries of its journal. The zero value is never.
type moment struct {
	entries int
	after   time.Duration
}

// runRelease makes the release in a process of its own. With faults it is killed some times, at moments that the seed decides
// and that lie all over it, and run again until it is through.
func (r *run) runRelease(ctx context.Context, args []string) error {
	if r.Seed == 0 {
		r.report.Runs = 1
		return r.once(ctx, moment{}, args...)
	}
	moments := rand.New(rand.NewPCG(r.Seed, 1))
	for r.report.Runs < maxRuns {
		r.report.Runs++
		var when moment
		if r.report.Kills < maxKills {
			when = moment{entries: 3 + moments.IntN(12), after: time.Duration(moments.IntN(300)) * time.Millisecond}
		}
		err := r.once(ctx, when, args...)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errKilled):
			r.report.Kills++
			r.Reporter.Heading("— killed; again —")
		default:
			r.Reporter.Heading("— ended by a fault; again —")
		}
	}
	return operr.New("repeat it with the same seed", "after %d runs the release is not through", r.report.Runs)
}

// once runs a target of the clone, and kills it when the moment has come.
func (r *run) once(ctx context.Context, when moment, args ...string) error {
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
		return &operr.Error{Summary: fmt.Sprintf("the release ended with exit status %d", exit.Code), Status: exit.Code, Next: cureOf(r.said.Next()) + ", commit, and `mage rehearse` again", Err: err}
	}
	return err
}

// endLines shows what a child has begun to say, and was ended before it was through with.
func (r *run) endLines() error { return errors.Join(r.Out.EndLine(), r.Err.EndLine()) }

// cureOf is what a next step of the release says beside how that goes on or is taken back, which is of no use in a rehearsal.
func cureOf(next string) string {
	for _, on := range []string{"; then `mage release`", "; or `mage undo`", " and commit that, and the release"} {
		next, _, _ = strings.Cut(next, on)
	}
	if next == "" || strings.Contains(next, "`mage release`") || strings.Contains(next, "`mage undo`") {
		return "see what it says above, correct that"
	}
	return next
}

// killer waits for the moment.
func (r *run) killer(ctx context.Context, kill context.CancelCauseFunc, when moment) {
	target := r.entries() + when.entries
	_, err := pause.Wait{First: 5 * time.Millisecond}.Until(ctx, func(context.Context) (pause.Seen, error) {
		return pause.Seen{Done: r.entries() >= target}, nil
	})
	if err == nil && pause.For(ctx, when.after) == nil {
		kill(errKilled)
	}
}

// entries counts those of the release's journal.
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

// mage runs a target of the clone, and returns what it printed.
func (r *run) mage(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	c := r.child(&out, &said, false, args...)
	c.Answers = true
	if err := r.Runner.Run(ctx, c); err != nil {
		return "", operr.New("", "%s: %w", args[0], err).WithDetail(said.String())
	}
	return out.String(), nil
}

// child is a target of the clone, as a person would call it there, in the world's environment: nothing else tells it that it
// is rehearsed.
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
