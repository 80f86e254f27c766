package view

import "time"

// Begin is what a process begins with: nothing was written for GitHub Actions.
func Begin() {
	annotated.Store(0)
	summarized.Store(false)
}

// Cut is how a line is cut for a terminal.
var Cut = cut

// SetSayAgain has a step that goes on said again after another time, until back is called.
func SetSayAgain(after time.Duration) (back func()) {
	before := sayAgain
	sayAgain = after
	return func() { sayAgain = before }
}
