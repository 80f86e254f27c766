package view

import "github.com/foopack/foopack/magefiles/internal/doctor"

// Finding is one thing that doctor looked for.
type Finding = doctor.Finding

// Findings prints what doctor found. ✗ is missing and always needed, ○ is missing, or not known to be
// there, and needed for something.
func (v *View) Findings(findings []Finding) {
	for _, f := range findings {
		switch {
		case f.Careful:
			v.Line("%s %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.Found, f.Get)
		case f.Found != "":
			v.Line("%s %s: %s", v.paint(green, "✓"), f.What, f.Found)
		case f.Unknown != "":
			v.Line("%s %s could not be looked at, for %s: %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Unknown, f.Get)
		case f.Required:
			v.Line("%s %s is missing, for %s\n    → %s", v.paint(red, "✗"), f.What, f.For, f.Get)
		default:
			v.Line("%s %s is missing, for %s\n    → %s", v.paint(faint, "○"), f.What, f.For, f.Get)
		}
	}
}
