package view

import "time"

// Begin resets the package's state, as if nothing had been written for GitHub Actions.
func Begin() {
	annotated.Store(0)
	summarized.Store(false)
}

// Cut cuts a line for a terminal.
var Cut = cut

// SetSayAgain changes the interval at which a running step is reported. `back` restores the old interval.
func SetSayAgain(after time.Duration) (back func()) {
	before := sayAgain
	sayAgain = after
	return func() { sayAgain = before }
}
