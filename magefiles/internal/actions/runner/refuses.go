package runner

import (
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// Refuses is what keeps a file from being run here, as [Runner.Run] would say it: each at its line. Of the Config it takes Actions and Files.
func (r *Runner) Refuses(w *file.Workflow) []error {
	return r.check(w, rights.Restricted, nil, file.Node{})
}
