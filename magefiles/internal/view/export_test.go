package view

// Begin is what a process begins with: nothing was written for GitHub Actions.
func Begin() {
	annotated.Store(0)
	summarized.Store(false)
}
