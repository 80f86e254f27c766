package targets

// answer shows what f returns: to a program as one JSON object, where that is asked for, or else to a person, by show. A program reads
// nothing but the object on standard output: what is printed before it goes to standard error.
func answer[T any](a *pipeline, asJSON bool, f func() (T, error), show func(T)) error {
	out := a.view.Out
	if asJSON {
		a.view.Out = a.view.Err
	}
	result, err := f()
	a.view.Out = out
	switch {
	case err != nil:
		return err
	case asJSON:
		return a.view.JSON(result)
	}
	show(result)
	return nil
}

// A flag that is not said is nil.

func isSet(flag *bool) bool { return flag != nil && *flag }

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}
