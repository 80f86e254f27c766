package survey

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// revisionOf returns the revision in a health response, or "" if there is none.
func revisionOf(r config.Revision, a hoststate.Answer) string {
	if r.Header != "" {
		return strings.ToValidUTF8(strings.TrimSpace(a.Header.Get(r.Header)), "\uFFFD") // a header may contain arbitrary bytes
	}
	if r.JSON == "" {
		return ""
	}
	var answer map[string]any
	if json.Unmarshal(a.Body, &answer) != nil {
		return "" // reported as a missing revision
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

// Judge reports whether a response is from a healthy container with the right revision. `seen` describes the response.
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
		return false, says(a) + `, but no revision in the answer (set revision = false in the environment's table if the application reports none)`
	default:
		return false, says(a) + ", but its revision is " + short(has) + " instead of " + short(want)
	}
}

// longestWatch limits the watch that is derived from an image's HEALTHCHECK, because a HEALTHCHECK with an interval of an hour has a different
// purpose. A table can set a longer watch.
const longestWatch = 10 * time.Minute

// usualInterval is Docker's default interval for a HEALTHCHECK.
const usualInterval = 30 * time.Second

// IntervalOf returns the interval of an image's HEALTHCHECK, or 0 if it has none.
func IntervalOf(image engine.Image) time.Duration {
	if image.Health == nil {
		return 0
	}
	return cmp.Or(image.Health.Interval, usualInterval)
}

// WatchOf returns how long a new container is watched, and a note if that is less than two HEALTHCHECK intervals.
func WatchOf(e config.Environment, interval time.Duration) (long time.Duration, note string) {
	long = max(e.Watch, min(2*interval, longestWatch))
	if 2*interval > long {
		note = fmt.Sprintf("the image's HEALTHCHECK runs every %s, so the watch of %s may end before the first result; set a shorter interval for the HEALTHCHECK, or a longer watch in the environment's table", interval, long)
	}
	return long, note
}

// `short` shortens a revision for display.
func short(revision string) string {
	commit, dirty, _ := strings.Cut(revision, "-")
	text := fmt.Sprintf("%.12s", commit) // does not cut characters, so that plans can be encoded as JSON
	if dirty != "" {
		text += "-" + dirty
	}
	return text
}
