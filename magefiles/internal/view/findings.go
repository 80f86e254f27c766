package view

import (
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/doctor"
)

// Finding is the result of one of doctor's checks.
type Finding = doctor.Finding

// ShowExamination prints what doctor found, and what to do first.
func (v *View) ShowExamination(r doctor.Report) {
	v.Findings(r.Findings)
	if r.Next != "" {
		v.Next("%s", r.Next)
	}
}

// Findings prints doctor's findings. ✗ marks an always required item that is missing. ○ marks an item that some targets need and that is missing or
// could not be checked.
func (v *View) Findings(findings []Finding) {
	for _, f := range findings {
		switch {
		case f.Careful:
			v.finding("%s %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.Found, f.Get)
		case f.Found != "":
			v.finding("%s %s: %s", v.paint(green, "✓"), f.What, f.Found)
		case f.Unknown != "":
			v.finding("%s %s could not be checked, for %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Unknown, f.Get)
		case f.Required:
			v.finding("%s %s is missing, for %s\n    → %s", v.paint(red, "✗"), f.What, f.For, f.Get)
		default:
			v.finding("%s %s is missing, for %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Get)
		}
	}
}

// finding returns a finding, and its next step on a separate line. For a terminal, both are wrapped.
func (v *View) finding(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.broken(v.text(format, args...), 4))
}
