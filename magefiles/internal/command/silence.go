package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// Silence is what is done about a child that writes nothing: it may wait for something that never comes.
type Silence struct {
	Tell time.Duration     // after so long, Say is told, once for each silence; 0 is never
	End  time.Duration     // after so long, the child is ended; 0 is never. One that has the terminal is not: a person is there
	Say  func(text string) // shows a line to a person; nil shows none
	Set  string            // what sets End, as a person writes it: "PIPELINE_SILENCE=2h"
}

// SilentError is why a child was ended that wrote nothing.
type SilentError struct {
	Line string // the command, shortened, without secrets
	how  Silence
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("`%s` has said nothing for %v, and was ended", e.Line, e.how.End)
}

// Cure is what to do about it, whatever was being done.
func (e *SilentError) Cure() string {
	return "see what it waits for, and run it again; `" + e.how.Set + "` would let it be silent for longer"
}

// Watch has every child watched that is started from now on.
func (s *System) Watch(how Silence) { s.silence = how }

// watch is what is known of a child that is watched; a zero one watches nothing.
type watch struct {
	heard  atomic.Int64 // when the child wrote last, in nanoseconds since 1970
	spared atomic.Bool  // it is not ended
	stop   func()
}

// watched is ctx for a child, which ends when the child has said nothing for too long.
func (s *System) watched(ctx context.Context, c Cmd, line string) (context.Context, *watch) {
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

// spare says that the child has the terminal: a person is there, who may end it.
func (w *watch) spare() { w.spared.Store(true) }

// hear is a writer to another one that takes down when something was written.
func (w *watch) hear(to io.Writer) io.Writer { return &hearing{to: to, heard: &w.heard} }

// follow tells of a child that says nothing, and ends it, until ctx ends.
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
			how.Say(fmt.Sprintf("`%s` has said nothing for %v", line, how.Tell))
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

// next is how long nothing has to be done about a child that has been silent for so long.
func (how Silence) next(silent time.Duration, told bool) time.Duration {
	wait := time.Hour
	if how.Tell > 0 && !told {
		wait = min(wait, how.Tell-silent)
	}
	if how.Tell > 0 && told {
		wait = min(wait, how.Tell) // it may speak, and be silent again
	}
	if how.End > 0 {
		wait = min(wait, how.End-silent)
	}
	return max(wait, time.Millisecond)
}

// hearing takes down when something was written.
type hearing struct {
	to    io.Writer
	heard *atomic.Int64
}

func (h *hearing) Write(p []byte) (int, error) {
	h.heard.Store(time.Now().UnixNano())
	return h.to.Write(p)
}

// mostOfLine is how much of a command line is shown, in bytes.
const mostOfLine = 120

// lineOf is a command as it is shown, without secrets.
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
