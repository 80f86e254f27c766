// Package about is what the head of a rehearsal's report says, and what was said in each step of the release.
package about

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// About is when, where and with what a rehearsal was made, and what was agreed to in it.
type About struct {
	To        string        `json:"to,omitempty"` // as it was asked for; "" for a release that is gone on with
	Began     time.Time     `json:"began,omitzero"`
	Took      time.Duration `json:"took_ns,omitempty"`
	Machine   string        `json:"machine,omitempty"`
	Toolchain string        `json:"toolchain,omitempty"` // "" where no preflight went through
	Plan      *bump.Plan    `json:"plan,omitempty"`      // nil where no release was begun
}

// End fills in what is known once the steps have ended, which began then.
func (a *About) End(began time.Time, to string) {
	a.Began, a.Took = began.UTC().Truncate(time.Second), time.Since(began)
	a.Machine = fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, operr.Count(runtime.NumCPU(), "processor"))
	a.To = to
}

// Read takes what the journal of the release knows.
func (a *About) Read(past *trace.Past) {
	a.Plan = past.Plan.Bump
	for _, event := range past.Events {
		var facts preflight.Facts
		if event.Step == trace.StepPreflight && json.Unmarshal(event.Result, &facts) == nil && facts.Toolchain != "" {
			a.Toolchain = facts.Toolchain
		}
	}
}

// mostOfLog is how many bytes of what is said in one step are kept, of the end.
const mostOfLog = 64 << 10

// Log sorts what a release says by the step that it was said in. It is a writer of what a child writes: whole lines, or parts of them.
type Log struct {
	mu   sync.Mutex
	of   map[string]string
	part string
	said strings.Builder
	next string
}

// endOfStep is the line that a view writes when a step has ended.
var endOfStep = regexp.MustCompile(`^[✓✗○] (.+?)  `)

// Of is what was said in a step, of a long text the end.
func (l *Log) Of(step string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[step]
}

// Next is the next step that was said last; "" where none was.
func (l *Log) Next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.part + string(p)
	for {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole {
			l.part = line
			return len(p), nil
		}
		text = rest
		if next, is := strings.CutPrefix(line, "→ "); is {
			l.next = next
		}
		end := endOfStep.FindStringSubmatch(line)
		if end == nil {
			if line != "" {
				l.said.WriteString(line + "\n")
			}
			continue
		}
		if said := l.said.String(); said != "" {
			if l.of == nil {
				l.of = map[string]string{}
			}
			l.of[end[1]] = tail(l.of[end[1]] + said)
		}
		l.said.Reset()
	}
}

// tail is the end of a long text, from the beginning of a line.
func tail(text string) string {
	if len(text) <= mostOfLog {
		return text
	}
	_, text, _ = strings.Cut(text[len(text)-mostOfLog:], "\n")
	return "…\n" + text
}
