package runner

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/protocol"
)

// These are limits for a step's output and annotations.
const (
	keptLines      = 200
	keptLine       = 4 << 10
	longestLine    = 1 << 20 // longer lines are split
	maxAnnotations = 10      // GitHub shows this many annotations of each level for a step
)

// output reads a step's output line by line. It executes the commands, and stores the last lines with secrets masked.
type output struct {
	step    *Step
	leg     *leg
	outputs func(name, value string)

	mu      sync.Mutex
	rest    []byte
	cut     bool   // the start of the line in rest was already printed, so the remainder is dropped
	stopped string // the word that ends ::stop-commands::; "" if commands are processed
	levels  map[string]int
	failed  string // why the step fails despite its exit status
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, p...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte("\n"))
		if !found {
			break
		}
		if !o.cut {
			o.line(string(bytes.TrimRight(line, "\r")))
		}
		o.rest, o.cut = rest, false
	}
	if len(o.rest) > longestLine {
		if !o.cut {
			o.print(o.leg.masks.HideBegun(string(o.rest)))
		}
		o.rest, o.cut = nil, true
	}
	return len(p), nil
}

// end handles a last line without a newline.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 && !o.cut {
		o.line(string(o.rest))
	}
	o.rest, o.cut = nil, false
}

// say writes a message of the runner to the step's log.
func (o *output) say(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		o.show(line)
	}
}

// fail records, as an annotation, why the step failed.
func (o *output) fail(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = fmt.Sprintf(format, args...)
	o.annotate("error", o.failed, nil)
}

func (o *output) warn(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.annotate("warning", fmt.Sprintf(format, args...), nil)
}

func (o *output) show(line string) { o.print(o.leg.masks.Hide(line)) }

// print prints a line whose secrets are already masked. They must be masked before a line is cut, or the start of a secret could be printed.
func (o *output) print(line string) {
	if len(line) > keptLine {
		line = strings.ToValidUTF8(line[:keptLine], "") + "…"
	}
	for _, w := range o.leg.watched {
		if strings.Contains(line, w.word) {
			o.leg.doubt(w.err)
		}
	}
	if o.step.Log = append(o.step.Log, line); len(o.step.Log) > keptLines {
		o.step.Log = o.step.Log[1:]
	}
	if log := o.leg.run.Log; log != nil {
		log(o.leg.out.Name, line)
	}
}

func (o *output) line(line string) {
	c, is := protocol.ParseCommand(line)
	switch {
	case !is:
		o.show(line)
	case o.stopped != "":
		if c.Name == o.stopped {
			o.stopped = ""
		}
		o.show(line)
	default:
		o.command(line, c)
	}
}

func (o *output) command(line string, c protocol.Command) {
	switch c.Name {
	case "add-mask":
		if strings.TrimSpace(c.Data) == "" {
			o.annotate("warning", "an empty text cannot be masked (add-mask)", nil)
			return
		}
		o.leg.masks.Add(c.Data)
	case "stop-commands":
		if c.Data == "" || slices.Contains(commandNames, strings.ToLower(c.Data)) {
			o.refuse("the word that ends stop-commands must not be empty, and must not be a command: %q", c.Data)
			return
		}
		o.stopped = strings.ToLower(c.Data)
		o.show(line)
	case "error", "warning", "notice":
		o.annotate(c.Name, c.Data, c.Properties)
	case "set-output", "save-state":
		switch name := c.Properties["name"]; {
		case name == "":
			o.refuse("%s needs a name", c.Name)
		case c.Name == "set-output":
			o.outputs(name, c.Data)
		}
	case "set-env", "add-path":
		o.refuse("%s is disabled on GitHub: write to GITHUB_ENV or GITHUB_PATH instead", c.Name)
	case "group":
		o.show("▸ " + c.Data)
	case "endgroup", "echo", "add-matcher", "remove-matcher", "debug":
	default:
		o.show(line)
	}
}

var commandNames = []string{
	"add-mask", "stop-commands", "error", "warning", "notice", "set-output", "save-state", "set-env", "add-path", "group", "endgroup", "echo", "add-matcher",
	"remove-matcher", "debug",
}

func (o *output) refuse(format string, args ...any) {
	o.failed = fmt.Sprintf(format, args...)
	o.annotate("error", o.failed, nil)
}

// annotate prints a message, and stores it unless GitHub's limit for its level is reached.
func (o *output) annotate(level, message string, properties map[string]string) {
	number := func(key string) int {
		n, _ := strconv.Atoi(properties[key]) // 0 if it is not a number
		return n
	}
	a := Annotation{
		Level:   level,
		File:    o.leg.masks.Hide(properties["file"]),
		Line:    number("line"),
		EndLine: number("endline"),
		Column:  number("col"),
		Title:   o.leg.masks.Hide(properties["title"]),
		Message: o.leg.masks.Hide(message),
	}
	for line := range strings.SplitSeq(message, "\n") {
		o.show(level + ": " + line)
	}
	if o.levels == nil {
		o.levels = map[string]int{}
	}
	if o.levels[level]++; o.levels[level] <= maxAnnotations {
		o.step.Annotations = append(o.step.Annotations, a)
	}
}
