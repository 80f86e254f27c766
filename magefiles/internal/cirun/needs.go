package cirun

import (
	"io/fs"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// tell shows what a file needs, and what of it is not run here, beside what stands in.
func tell(v *view.View, w *file.Workflow, files fs.FS, standIns map[string]string) {
	n := w.Needs()
	var rows [][]string
	for _, row := range []struct {
		what string
		all  []string
	}{
		{"starts for", n.Events},
		{"machines", n.Runners},
		{"images", n.Images},
		{"actions", n.Actions},
		{"workflows", n.Workflows},
		{"secrets", n.Secrets},
		{"variables", n.Variables},
		{"rights", n.Rights},
		{"environments", n.Environments},
	} {
		if len(row.all) > 0 {
			rows = append(rows, []string{row.what, strings.Join(row.all, ", ")})
		}
	}
	v.Heading("%s: %s", w.File, "what it needs")
	v.Table(nil, rows)
	r := runner.New(runner.Config{
		Actions: standin.With(standIns),
		Files:   files,
	})
	for _, err := range r.Refuses(w) {
		v.Line("✗ %v", err)
	}
	for _, err := range runner.UnknownPins(w) {
		v.Line("○ %v", err)
	}
}
