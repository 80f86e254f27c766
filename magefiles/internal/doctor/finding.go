package doctor

import "github.com/foopack/foopack/magefiles/internal/operr"

// Finding is the result of one check.
type Finding struct {
	What     string `json:"what"`               // "git", "pixi", "pixi.lock of app"
	Found    string `json:"found,omitempty"`    // what was found: a version, a path; "" when it is missing
	For      string `json:"for,omitempty"`      // what the thing is needed for
	Get      string `json:"get,omitempty"`      // how to get the thing, if it is missing
	Unknown  string `json:"unknown,omitempty"`  // reason why the check failed; "" if it succeeded
	Careful  bool   `json:"careful,omitempty"`  // the value that was found is a problem; Get has the next step
	Required bool   `json:"required,omitempty"` // whether every target needs the thing
}

// Report holds all findings.
type Report struct {
	Findings []Finding `json:"findings"`
	Next     string    `json:"next,omitempty"` // the next thing to do, if nothing is missing
}

// Missing returns an error that counts the required things that are missing; nil if there are none.
func Missing(findings []Finding) error {
	n := 0
	for _, f := range findings {
		if f.Required && f.Found == "" {
			n++
		}
	}
	const next = "follow the arrow below each line marked ✗"
	switch n {
	case 0:
		return nil
	case 1:
		return operr.New(next, "1 thing that every target needs is missing")
	}
	return operr.New(next, "%d things that every target needs are missing", n)
}
