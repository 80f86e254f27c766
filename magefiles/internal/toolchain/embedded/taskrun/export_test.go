package taskrun

// Check returns the refusals of Run, without creating an environment or running anything.
func Check(o Options) error {
	steps, err := makePlan(o)
	if err != nil {
		return err
	}
	return refusalError(steps)
}
