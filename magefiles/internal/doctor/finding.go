package doctor

import "github.com/foopack/foopack/magefiles/internal/operr"

// Finding is one thing that was looked for.
type Finding struct {
	What     string `json:"what"`               // "git", "pixi", "pixi.lock of app"
	Found    string `json:"found,omitempty"`    // what was found: a version, a path; "" when it is missing
	For      string `json:"for,omitempty"`      // what it is needed for
	Get      string `json:"get,omitempty"`      // how to get it, when it is missing
	Unknown  string `json:"unknown,omitempty"`  // why it is not known whether it is there; "" where it is
	Careful  bool   `json:"careful,omitempty"`  // what was found is nothing to be glad of; Get says what there is to do
	Required bool   `json:"required,omitempty"` // nothing works without it
}

// Report is all that was looked for.
type Report struct {
	Findings []Finding `json:"findings"`
	Next     string    `json:"next,omitempty"` // what to do first, where nothing is missing
}

// Missing is the error of what is missing and always needed; nil where nothing is.
func Missing(findings []Finding) error {
	n := 0
	for _, f := range findings {
		if f.Required && f.Found == "" {
			n++
		}
	}
	const next = "get what the lines marked ✗ name"
	switch n {
	case 0:
		return nil
	case 1:
		return operr.New(next, "1 thing that every run needs is missing")
	}
	return operr.New(next, "%d things that every run needs are missing", n)
}
