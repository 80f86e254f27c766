package cirun

import (
	"io/fs"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// tell shows what a file needs, and what of it is not run here.
func (c Config) tell(w *file.Workflow, files fs.FS) {
	v, n := c.View, w.Needs()
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
		Actions: c.standIns(),
		Files:   files,
	})
	for _, err := range r.Refuses(w) {
		v.Text("✗ %v", err)
	}
	for _, err := range w.UnknownPins() {
		v.Text("○ %v", err)
	}
}
