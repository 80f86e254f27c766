package journal

// SetPatience sets patience and returns a function that restores it.
func SetPatience(times int) (back func()) {
	before := patience
	patience = times
	return func() { patience = before }
}
