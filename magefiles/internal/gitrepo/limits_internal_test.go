package gitrepo

import "time"

// SetLimits sets how long a remote has to answer, and returns what sets it back.
func SetLimits(question, transfer time.Duration) (back func()) {
	before := limits
	limits.question, limits.person, limits.transfer = question, question, transfer
	return func() { limits = before }
}
