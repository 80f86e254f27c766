package workflow

// Names returns the steps' names, in order.
func (d *Definition) Names() (names []string) {
	for _, s := range d.steps {
		names = append(names, s.name())
	}
	return names
}
