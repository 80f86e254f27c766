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

// longestWatch is how long a watch may be because of an image's HEALTHCHECK: one that asks each hour is for another purpose. A table may say more.
const longestWatch = 10 * time.Minute

// usualInterval is that of a HEALTHCHECK which names none.
const usualInterval = 30 * time.Second

// IntervalOf is how often an image's HEALTHCHECK is asked; 0 where it has none.
func IntervalOf(image engine.Image) time.Duration {
	if image.Health == nil {
		return 0
	}
	return cmp.Or(image.Health.Interval, usualInterval)
}

// WatchOf is how long a new container is watched, and a sentence where that is shorter than two intervals of its HEALTHCHECK.
func WatchOf(e config.Environment, interval time.Duration) (long time.Duration, note string) {
	long = max(e.Watch, min(2*interval, longestWatch))
	if 2*interval > long {
		note = fmt.Sprintf("the image's HEALTHCHECK is asked each %s, so that the watch of %s may end before its answer: give it a shorter interval, or say watch in the environment's table", interval, long)
	}
	return long, note
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
