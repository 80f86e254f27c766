package view

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/columns"
)

// The files of a report, in its folder.
const (
	ReportPage = "report.html"
	ReportData = "report.json"
)

// Report is what a page tells of a rehearsal.
type Report struct {
	Title     string
	Commit    string
	Error     string // "" where it went through
	Steps     []ReportStep
	Artifacts [][]string  // name, version, file, sha256, size
	Fleet     [][]string  // environment, host, digest, from, until, answers, failed requests
	Missing   [][2]string // what, why
}

// ReportStep is one step, in the order in which they ended.
type ReportStep struct {
	Name, Of, Event, Evidence string
	Began                     time.Time
	Took                      time.Duration

	Left, Width string // of its bar, in percent of the whole time
}

// Duration is for people.
func (s ReportStep) Duration() string { return columns.Took(s.Took) }

// First is the first line of the evidence, and Rest what follows it.
func (s ReportStep) First() string { first, _, _ := strings.Cut(s.Evidence, "\n"); return first }

// Rest is what follows the first line.
func (s ReportStep) Rest() string { _, rest, _ := strings.Cut(s.Evidence, "\n"); return rest }

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"text": escape}).Parse(reportPage))

// WriteReport writes a report into a folder: a page that needs nothing beside it, and data as JSON.
func WriteReport(dir string, r Report, data any) error {
	r.scale()
	var page strings.Builder
	if err := reportTemplate.Execute(&page, r); err != nil {
		return err
	}
	text, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(filepath.Join(dir, ReportData), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(dir, ReportPage), []byte(page.String()), 0o644)
}

// scale places the bars.
func (r *Report) scale() {
	if len(r.Steps) == 0 {
		return
	}
	begin, end := r.Steps[0].Began, r.Steps[0].Began
	for _, s := range r.Steps {
		if s.Began.Before(begin) {
			begin = s.Began
		}
		if e := s.Began.Add(s.Took); e.After(end) {
			end = e
		}
	}
	whole := max(end.Sub(begin), time.Millisecond)
	percent := func(d time.Duration) string { return fmt.Sprintf("%.2f", 100*float64(d)/float64(whole)) }
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Left, s.Width = percent(s.Began.Sub(begin)), percent(s.Took)
	}
}
