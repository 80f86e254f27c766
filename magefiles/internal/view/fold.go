package view

import (
	"fmt"
	"io"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
)

// endFold ends the group that beginFold began, for GitHub's runner.
const endFold = "::endgroup::"

func beginFold(name string) string { return "::group::" + annotation.EscapeData(escape(name)) }

// fold folds a step's output under the step's name in GitHub Actions. It writes nothing for a step without output.
type fold struct {
	name  string
	begun bool
}

// begin must be called before a write.
func (f *fold) begin(to io.Writer) {
	if f != nil && !f.begun {
		f.begun = true
		fmt.Fprintln(to, beginFold(f.name))
	}
}

// joinPipes sends all output to the results' pipe. GitHub's runner reads stdout and stderr in no fixed order, so it could read the start of a fold
// before the end of the previous one.
func (v *View) joinPipes() {
	if v.Actions {
		v.Err = v.Out
	}
}

// fold begins a step, until end is called. A nested step is part of the outer step's fold, because GitHub does not nest groups.
func (v *View) fold(name string) (end func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.joinPipes()
	if !v.Actions || v.folded != nil {
		return func() {}
	}
	v.folded = &fold{name: name}
	return v.Unfold
}

// Unfold ends the running step's fold. Later output of the step is not folded.
func (v *View) Unfold() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.folded != nil && v.folded.begun {
		fmt.Fprintln(v.Err, endFold)
	}
	v.folded = nil
}
