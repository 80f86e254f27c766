package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// Silence is the policy for a child that writes nothing. The child may be waiting for something that never happens.
type Silence struct {
	Tell time.Duration     // Say is called once after each silence of this length; 0 means never
	End  time.Duration     // the child is ended after this much silence; 0 means never. A child that has the terminal is not ended
	Say  func(text string) // shows a line to the user; may be nil
	Set  string            // how the user sets End: "PIPELINE_SILENCE=2h"
}

// SilentError is the error of a child that was ended because it wrote nothing.
type SilentError struct {
	Line string // the command, shortened, without secrets
	how  Silence
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("`%s` has printed nothing for %v, and was stopped", e.Line, e.how.End)
}

// Cure returns the next step, which does not depend on the command.
func (e *SilentError) Cure() string {
	return "find out what this command waits for, and run it again; set `" + e.how.Set + "` to allow a longer silence"
}

// Watch sets the policy for silent children. It applies to children that are started afterwards.
func (s *System) Watch(how Silence) { s.silence = how }

// watch monitors a child's output. The zero value is a no-op.
type watch struct {
	heard  atomic.Int64 // time of the last output, in Unix nanoseconds
	spared atomic.Bool  // the child is not ended
	stop   func()
}

// watchOutput returns a context that ends when the child has written nothing for too long.
func (s *System) watchOutput(ctx context.Context, c Cmd, line string) (context.Context, *watch) {
	how := s.silence
	w := &watch{stop: func() {}}
	if c.Limited || how.Tell == 0 && how.End == 0 {
		return ctx, w
	}
	ctx, end := context.WithCancelCause(ctx)
	w.stop = func() { end(nil) }
	w.heard.Store(time.Now().UnixNano())
	go w.follow(ctx, how, line, end)
	return ctx, w
}

// spare exempts the child from being ended. It has the terminal, so the user can end it.
func (w *watch) spare() { w.spared.Store(true) }

// hear wraps a writer and records the time of each write.
func (w *watch) hear(to io.Writer) io.Writer { return &hearing{to: to, heard: &w.heard} }

// follow reports and ends a silent child. It returns when ctx ends.
func (w *watch) follow(ctx context.Context, how Silence, line string, end context.CancelCauseFunc) {
	told := int64(0)
	for {
		if w.spared.Load() {
			how.End = 0
		}
		last := w.heard.Load()
		silent := time.Since(time.Unix(0, last))
		switch {
		case how.End > 0 && silent >= how.End:
			end(&SilentError{Line: line, how: how})
			return
		case how.Tell > 0 && silent >= how.Tell && told != last && how.Say != nil:
			told = last
			how.Say(fmt.Sprintf("`%s` has printed nothing for %v", line, how.Tell))
		}
		timer := time.NewTimer(how.next(silent, told == last))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// `next` returns the time until the next check of a silent child.
func (how Silence) next(silent time.Duration, told bool) time.Duration {
	wait := time.Hour
	if how.Tell > 0 && !told {
		wait = min(wait, how.Tell-silent)
	}
	if how.Tell > 0 && told {
		wait = min(wait, how.Tell) // the child may write, and be silent again
	}
	if how.End > 0 {
		wait = min(wait, how.End-silent)
	}
	return max(wait, time.Millisecond)
}

// hearing records the time of each write.
type hearing struct {
	to    io.Writer
	heard *atomic.Int64
}

func (h *hearing) Write(p []byte) (int, error) {
	h.heard.Store(time.Now().UnixNano())
	return h.to.Write(p)
}

// mostOfLine limits how much of a command line is shown, in bytes.
const mostOfLine = 120

// lineOf formats a command line for display, with secrets masked.
func lineOf(c Cmd, secrets []string) string {
	var shown strings.Builder
	r := newRedactor(&shown, secrets)
	_, _ = io.WriteString(r, strings.Join(append([]string{base(c.Name)}, c.Args...), " "))
	r.Flush()
	text := strings.ReplaceAll(shown.String(), "\n", " ")
	if len(text) > mostOfLine {
		return strings.ToValidUTF8(text[:mostOfLine], "") + "…"
	}
	return text
}
