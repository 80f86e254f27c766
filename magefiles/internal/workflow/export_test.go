package workflow

// Names are the steps' names, in their order.
func (d *Definition) Names() (names []string) {
	for _, s := range d.steps {
		names = append(names, s.name())
	}
	return names
}
