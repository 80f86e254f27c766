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

// What this process has written for GitHub Actions so far, whichever of its targets did: one process is one step of a job.
var (
	annotated  atomic.Int64
	summarized atomic.Bool
)

// AppendTo writes to the end of a file, which it opens for each piece; nil where there is none.
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

// Annotate shows an error of a target: at the place that it names, or beside the log, unless something of this process is shown already.
func (v *View) Annotate(err error) {
	if !v.Actions {
		return
	}
	v.AnnotateAt(err.Error())
	if annotated.Load() > 0 {
		return
	}
	v.lock()
	defer v.unlock()
	v.annotate(annotation.Annotation{Message: err.Error()})
}

// AnnotateAt shows what is said of a place: FILE:LINE: TEXT.
func (v *View) AnnotateAt(says string) {
	if !v.Actions {
		return
	}
	v.lock()
	defer v.unlock()
	v.annotate(annotation.Find(says, v.Lookup)...)
}

// annotate writes annotations as far as GitHub shows them, and counts the others.
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
		fmt.Fprintf(v.Out, "%d more are in the log above: GitHub shows %d of a step\n", left, annotation.Limit)
	}
}

// Made adds to the summary of the step what was made, an artifact or an image, with its digest.
func (v *View) Made(what, digest string) {
	v.lock()
	defer v.unlock()
	v.summarizeRow("◆", what, "", digest)
}

func (v *View) summarize(well bool, name, time, evidence string) {
	mark := "✓"
	if !well {
		mark = "✗"
	}
	v.summarizeRow(mark, name, time, evidence)
}

// summarizeRow adds a row to the summary of the step.
func (v *View) summarizeRow(cells ...string) {
	if v.Summary == nil {
		return
	}
	if summarized.CompareAndSwap(false, true) {
		_, _ = io.WriteString(v.Summary, "\n|   | step | time | evidence |\n|---|---|---|---|\n") // beside the log, which has it too
	}
	for i, cell := range cells {
		cells[i] = markdownCell(cell)
	}
	_, _ = io.WriteString(v.Summary, "| "+strings.Join(cells, " | ")+" |\n")
}

// markdownCell is text in a cell of a table of GitHub's Markdown, in which nothing is obeyed.
func markdownCell(text string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(escape(text)), " ") {
		if strings.ContainsRune("\\`*_{}[]<>()#+-!|~@:&.", r) {
			fmt.Fprintf(&b, "&#%d;", r) // also no link of an address, and nobody's name
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
