package journal

// SetPatience sets how often a lock is read that does not say who has it, and returns what sets it back.
func SetPatience(times int) (back func()) {
	before := patience
	patience = times
	return func() { patience = before }
}
