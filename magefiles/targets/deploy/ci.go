package deploy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// ciRuns are the runs of a CI that pushes start.
type ciRuns struct{ hub forge.Hub }

// Watch says where the runs for a commit are at work.
func (c ciRuns) Watch(ctx context.Context, commit string) (where string, held bool, err error) {
	if c.hub.Client == nil {
		return "see what the CI does for it", false, nil
	}
	runs, err := c.hub.Client.Runs(ctx, github.Query{Commit: commit, Event: "push"})
	if err != nil || len(runs) == 0 {
		return "no run for " + short(commit) + " has begun yet", false, err
	}
	var at []string
	for _, run := range runs {
		switch {
		case run.Completed() && !run.Succeeded():
			return "", false, operr.New(run.Next()+"; then `mage deliver`", "the CI's run for %s ended without success (%s): %s", short(commit), run.Conclusion, run.URL).WithWayOn()
		case !run.Completed():
			held = held || run.Held()
			at = append(at, run.Status+": "+run.URL)
		}
	}
	if len(at) == 0 {
		at = []string{"the CI has ended well"}
	}
	return strings.Join(at, ", "), held, nil
}

// byCI is an environment to which the CI deploys: it is waited for.
type byCI struct {
	stage
	ci   delivery.CI
	tell func(pause.Progress)
}

// mostOfCI is how long a CI may take to deploy, reviewers aside.
const mostOfCI = time.Hour

// Deploy waits until all hosts run the image.
func (s byCI) Deploy(ctx context.Context, image survey.Image) error {
	w := pause.Wait{
		What:  s.Name() + " to be deployed by the CI",
		First: time.Second,
		Times: 1.5,
		Most:  15 * time.Second,
		For:   mostOfCI,
		Tell:  s.tell,
	}
	seen, err := w.Until(ctx, func(ctx context.Context) (seen pause.Seen, err error) {
		if seen.Done, err = s.Runs(ctx, image); err != nil || seen.Done {
			return seen, err
		}
		seen.Says, seen.Held, err = s.ci.Watch(ctx, image.Revision)
		return seen, err
	})
	if errors.Is(err, pause.ErrOver) {
		return operr.New("see what the CI does; `mage deliver` goes on waiting", "after %v the CI has not deployed to %s; %s", seen.Waited.Round(time.Second), s.Name(), seen.Seen.Says).WithWayOn()
	}
	return err
}

// isByCI reports whether the CI deploys to an environment, seen from a machine that is not a CI's itself.
func isByCI(e config.Environment, run string) bool { return e.By == config.CI && run == "" }
