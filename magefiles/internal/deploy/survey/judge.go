package survey

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// revisionOf is what a health answer says that runs; "" where it does not say it.
func revisionOf(r config.Revision, a hoststate.Answer) string {
	if r.Header != "" {
		return strings.TrimSpace(a.Header.Get(r.Header))
	}
	if r.JSON == "" {
		return ""
	}
	var answer map[string]any
	if json.Unmarshal(a.Body, &answer) != nil {
		return "" // which is said as a revision that is missing
	}
	text, _ := answer[r.JSON].(string)
	return text
}

func says(a hoststate.Answer) string {
	if a.Status == 0 {
		return "no answer"
	}
	return fmt.Sprintf("status %d", a.Status)
}

// Judge reports whether an answer is that of a healthy container of the wanted revision, and says what it saw.
func Judge(r config.Revision, want string, a hoststate.Answer) (healthy bool, seen string) {
	if a.Status/100 != 2 {
		return false, says(a)
	}
	if r.None() || want == "" {
		return true, says(a)
	}
	switch has := revisionOf(r, a); has {
	case want:
		return true, says(a) + ", revision " + short(has)
	case "":
		return false, says(a) + `, and no revision in it (revision = false in the environment's table does not ask for one)`
	default:
		return false, says(a) + ", and its revision is " + short(has) + " in place of " + short(want)
	}
}

// short is a revision as people read it.
func short(revision string) string {
	commit, dirty, _ := strings.Cut(revision, "-")
	text := commit[:min(12, len(commit))]
	if dirty != "" {
		text += "-" + dirty
	}
	return text
}
