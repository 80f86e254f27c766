package view

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// File names of a report.
const (
	ReportPage = "report.html"
	ReportData = "report.json"
)

// Report is the data of a rehearsal's report.
type Report struct {
	Title     string
	Commit    string
	Error     string // "" if the rehearsal passed
	Began     time.Time
	Took      time.Duration // time of the whole rehearsal
	Facts     [][2]string   // names and values, such as the machine; empty values are omitted
	Plan      *bump.Plan    // the accepted plan; nil if there is none
	Next      string        // next step for the user
	Running   bool          // whether the embedded servers still run
	Steps     []ReportStep
	Artifacts [][]string  // name, version, file, sha256, size
	Fleet     [][]string  // environment, host, digest, from, until, answers, failed requests
	Missing   [][2]string // what was not rehearsed, and why

	Ticks []ReportTick // marks of the scale above the bars
}

// ReportTick is a moment on the scale.
type ReportTick struct{ Left, Says string }

// ReportStep is a step. Steps are in the order in which they ended.
type ReportStep struct {
	Name, Of, Event, Evidence, Log string
	Began                          time.Time
	Took                           time.Duration

	Heading string // heading above this step; "" if the step belongs to the previous heading

	Left, Width string // position of the bar, in percent of the total time
}

// Duration returns the time of the step, for people.
func (s ReportStep) Duration() string { return columns.Took(s.Took) }

// First returns the first line of the evidence. Rest returns the other lines.
func (s ReportStep) First() string { first, _, _ := strings.Cut(s.Evidence, "\n"); return first }

// Items returns the parts of the first line if it is a list. Each is shown on a separate line.
func (s ReportStep) Items() (items []string) {
	for part := range strings.SplitSeq(s.First(), "; ") {
		if strings.Count(part, condapkg.Ext) > 1 || strings.Count(part, " → ") > 1 {
			items = append(items, strings.Split(part, ", ")...)
			continue
		}
		items = append(items, part)
	}
	if len(items) == 1 {
		return nil
	}
	return items
}

// Rest returns the evidence without its first line.
func (s ReportStep) Rest() string { _, rest, _ := strings.Cut(s.Evidence, "\n"); return rest }

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"text": escape}).Parse(reportPage))

// WriteReport writes a report into a folder: a self-contained HTML page, and the data as JSON.
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

// scale computes the positions of the bars.
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
	r.Ticks = ticks(whole, percent)
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Left, s.Width = percent(s.Began.Sub(begin)), percent(s.Took)
	}
}

// `apart` lists the allowed intervals between marks on a scale.
var apart = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// ticks returns the marks of a scale, at even intervals from the start. No mark is so close to the end that its text would not fit.
func ticks(whole time.Duration, percent func(time.Duration) string) (all []ReportTick) {
	each := apart[len(apart)-1]
	for _, d := range slices.Backward(apart) {
		if whole/d <= 5 {
			each = d
		}
	}
	for at := time.Duration(0); at <= whole*85/100; at += each {
		says := "0"
		if at > 0 {
			says = columns.Took(at)
		}
		all = append(all, ReportTick{Left: percent(at), Says: says})
	}
	return all
}

// NextParts splits Next at backquotes: every second part is a command line.
func (r Report) NextParts() []string { return strings.Split(r.Next, "`") }

// PlanText returns the plan as `mage version:plan` shows it, without a changelog.
func (r Report) PlanText() string {
	var out bytes.Buffer
	p := *r.Plan
	p.Files, p.Notes = nil, nil
	(&View{Out: &out, Err: &out}).Plan(&p, false)
	for _, note := range r.Plan.Notes {
		fmt.Fprintf(&out, "note: %s\n", note)
	}
	return strings.TrimSpace(out.String())
}

// DiffLines returns what the plan changes in files.
func (r Report) DiffLines() []string {
	var out bytes.Buffer
	v := &View{Out: &out, Err: &out}
	for _, f := range r.Plan.Files {
		v.diff(f)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// Changelog returns the section that the plan adds to the changelog; "" for none.
func (r Report) Changelog() string {
	for _, f := range r.Plan.Files {
		for _, e := range f.Edits {
			if strings.Contains(e.New, "\n") {
				return strings.TrimSpace(e.New)
			}
		}
	}
	return ""
}

// When returns the time at which the rehearsal began, for people.
func (r Report) When() string { return r.Began.UTC().Format("2006-01-02 15:04 UTC") }

// Duration returns the time of the whole rehearsal.
func (r Report) Duration() string { return columns.Took(r.Took) }
