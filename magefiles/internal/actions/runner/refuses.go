package runner

import (
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// Refuses returns the reasons why a file cannot be run here, as [Runner.Run] would report them, with their lines. It uses Actions and Files of the
// Config.
func (r *Runner) Refuses(w *file.Workflow) []error {
	return r.check(w, rights.Restricted, nil, file.Node{})
}
