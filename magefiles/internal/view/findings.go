package view

// Finding is one thing that doctor looked for.
type Finding struct {
	What     string // "git", "pixi", "pixi.lock of app"
	Found    string // what was found: a version, a path; "" when it is missing
	For      string // what it is needed for
	Get      string // how to get it, when it is missing
	Unknown  string // why it is not known whether it is there; "" where it is
	Careful  bool   // what was found is nothing to be glad of; Get says what there is to do
	Required bool   // nothing works without it
}

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

// Fatal counts what is missing and always needed.
func Fatal(findings []Finding) int {
	n := 0
	for _, f := range findings {
		if f.Required && f.Found == "" {
			n++
		}
	}
	return n
}
