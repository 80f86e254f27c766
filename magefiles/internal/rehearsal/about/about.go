// Package about collects the head of a rehearsal's report, and the output of each release step.
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

// About is the head of a report: when, where and with which tools the rehearsal was made, and the release plan.
type About struct {
	To        string        `json:"to,omitempty"` // the requested version; "" for a continued release
	Began     time.Time     `json:"began,omitzero"`
	Took      time.Duration `json:"took_ns,omitempty"`
	Machine   string        `json:"machine,omitempty"`
	Toolchain string        `json:"toolchain,omitempty"` // "" if no preflight succeeded
	Plan      *bump.Plan    `json:"plan,omitempty"`      // nil if no release was started
}

// End sets the fields that are known only after the steps. The steps began at the given time.
func (a *About) End(began time.Time, to string) {
	a.Began, a.Took = began.UTC().Truncate(time.Second), time.Since(began)
	a.Machine = fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, operr.Count(runtime.NumCPU(), "processor"))
	a.To = to
}

// Read reads the plan and the toolchain from the release journal.
func (a *About) Read(past *trace.Past) {
	a.Plan = past.Plan.Bump
	for _, event := range past.Events {
		var facts preflight.Facts
		if event.Step == trace.StepPreflight && json.Unmarshal(event.Result, &facts) == nil && facts.Toolchain != "" {
			a.Toolchain = facts.Toolchain
		}
	}
}

// mostOfLog is the maximum number of bytes kept from the end of a step's output.
const mostOfLog = 64 << 10

// Log splits a release's output by step. It is a writer for a child process, so it accepts partial lines.
type Log struct {
	mu   sync.Mutex
	of   map[string]string
	part string
	said strings.Builder
	next string
}

// endOfStep matches the line that a view prints at the end of a step.
var endOfStep = regexp.MustCompile(`^[✓✗○] (.+?)  `)

// Of returns the output of a step, truncated to its end if it is long.
func (l *Log) Of(step string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[step]
}

// Next returns the next step that the release printed last; "" if it printed none.
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

// tail returns the end of a long text, from the start of a line.
func tail(text string) string {
	if len(text) <= mostOfLog {
		return text
	}
	_, text, _ = strings.Cut(text[len(text)-mostOfLog:], "\n")
	return "…\n" + text
}
