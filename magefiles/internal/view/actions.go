package view

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
)

// The state below counts what this process has written for GitHub Actions. It is shared by all targets, because a process is one step of a job.
var (
	annotated  atomic.Int64
	summarized atomic.Bool
)

// AppendTo returns a writer to the end of a file. It opens the file for each write. It returns nil if file is "".
func AppendTo(path string) io.Writer {
	if path == "" {
		return nil
	}
	return appending(path)
}

type appending string

func (a appending) Write(p []byte) (int, error) {
	f, err := os.OpenFile(string(a), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	n, err := f.Write(p)
	return n, errors.Join(err, f.Close())
}

// Annotate writes annotations for the places that a target's error names. If there are none, and this process has not annotated anything yet, it
// writes one without a place. It writes to Err, because a program may be parsing standard output.
func (v *View) Annotate(err error) {
	beside := &View{Out: v.Err, Err: v.Err, Actions: v.Actions, Lookup: v.Lookup}
	beside.AnnotateAt(err.Error())
	if v.Actions && annotated.Load() == 0 {
		beside.annotate(annotation.Annotation{Message: err.Error()})
	}
}

// AnnotateAt writes an annotation for each line of the form FILE:LINE: TEXT.
func (v *View) AnnotateAt(says string) {
	if !v.Actions {
		return
	}
	v.lock()
	defer v.unlock()
	v.annotate(annotation.Find(says, v.Lookup)...)
}

// annotate writes annotations up to GitHub's limit, and counts the rest.
func (v *View) annotate(all ...annotation.Annotation) {
	left := 0
	for _, a := range all {
		if annotated.Load() >= annotation.Limit {
			left++
			continue
		}
		annotated.Add(1)
		a.Message, a.Title = escape(a.Message), escape(a.Title)
		fmt.Fprintln(v.Out, a.Command())
	}
	if left > 0 {
		fmt.Fprintf(v.Out, "%d more annotations are in the log above: GitHub shows only %d for each step\n", left, annotation.Limit)
	}
}

// AddMade adds an artifact or an image, with its digest, to the step summary.
func (v *View) AddMade(what, digest string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.summarizeRow("◆", what, "", digest)
}

func (v *View) summarize(well bool, name, time, evidence string) {
	mark := "✓"
	if !well {
		mark = "✗"
	}
	v.summarizeRow(mark, name, time, evidence)
}

// summarizeRow adds a row to the step summary.
func (v *View) summarizeRow(cells ...string) {
	if v.Summary == nil {
		return
	}
	if summarized.CompareAndSwap(false, true) {
		_, _ = io.WriteString(v.Summary, "\n|   | step | time | evidence |\n|---|---|---|---|\n") // the log has these rows, too
	}
	for i, cell := range cells {
		cells[i] = markdownCell(cell)
	}
	_, _ = io.WriteString(v.Summary, "| "+strings.Join(cells, " | ")+" |\n")
}

// markdownCell escapes text for a table cell in GitHub Markdown, so that no markup takes effect.
func markdownCell(text string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(escape(text)), " ") {
		if strings.ContainsRune("\\`*_{}[]<>()#+-!|~@:&.", r) {
			fmt.Fprintf(&b, "&#%d;", r) // prevents links from URLs, and mentions of users
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
