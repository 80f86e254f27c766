package view

import (
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/doctor"
)

// Finding is one thing that doctor looked for.
type Finding = doctor.Finding

// Examined prints what doctor found, and what to do first.
func (v *View) Examined(r doctor.Report) {
	v.Findings(r.Findings)
	if r.Next != "" {
		v.Next("%s", r.Next)
	}
}

// Findings prints what doctor found. ✗ is missing and always needed, ○ is missing, or not known to be
// there, and needed for something.
func (v *View) Findings(findings []Finding) {
	for _, f := range findings {
		switch {
		case f.Careful:
			v.finding("%s %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.Found, f.Get)
		case f.Found != "":
			v.finding("%s %s: %s", v.paint(green, "✓"), f.What, f.Found)
		case f.Unknown != "":
			v.finding("%s %s could not be looked at, for %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Unknown, f.Get)
		case f.Required:
			v.finding("%s %s is missing, for %s\n    → %s", v.paint(red, "✗"), f.What, f.For, f.Get)
		default:
			v.finding("%s %s is missing, for %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Get)
		}
	}
}

// finding writes what was found, and, after a line end, what to do about it: at a terminal broken between words.
func (v *View) finding(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.broken(v.text(format, args...), 4))
}
