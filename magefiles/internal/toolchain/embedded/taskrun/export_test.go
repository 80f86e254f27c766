package taskrun

// Check reports what Run would refuse, without an environment and without running anything.
func Check(o Options) error {
	steps, err := makePlan(o)
	if err != nil {
		return err
	}
	return refused(steps)
}
