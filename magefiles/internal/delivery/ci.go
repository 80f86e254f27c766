package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// CI does something when a commit is pushed.
type CI interface {
	// Watch says where the runs for a commit are at work. It fails where one has failed. held reports whether they wait for a person.
	Watch(ctx context.Context, commit string) (where string, held bool, err error)
}

// Runs are those of GitHub that a push starts. A nil Client is for a CI that cannot be asked.
type Runs struct{ Client *github.Client }

// Watch asks GitHub.
func (r Runs) Watch(ctx context.Context, commit string) (where string, held bool, err error) {
	if r.Client == nil {
		return "see what the CI does for it", false, nil
	}
	runs, err := r.Client.Runs(ctx, github.Query{Commit: commit, Event: "push"})
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

// mostOfCI is how long a CI may take, reviewers aside.
const mostOfCI = time.Hour

// Await waits for what a CI does for a commit, until isThere says that it is there. what goes behind "waiting for".
func Await(ctx context.Context, ci CI, commit, what string, tell func(pause.Progress), isThere func(ctx context.Context) (bool, error)) error {
	w := pause.Wait{
		What:  what,
		First: time.Second,
		Times: 1.5,
		Most:  15 * time.Second,
		For:   mostOfCI,
		Tell:  tell,
	}
	p, err := w.Until(ctx, func(ctx context.Context) (seen pause.Seen, err error) {
		if seen.Done, err = isThere(ctx); err != nil || seen.Done {
			return seen, err
		}
		seen.Says, seen.Held, err = ci.Watch(ctx, commit)
		return seen, err
	})
	if errors.Is(err, pause.ErrOver) {
		return operr.New("see what the CI does; `mage deliver` goes on waiting", "after %v there is nothing of %s; %s", p.Waited.Round(time.Second), what, p.Seen.Says).WithWayOn()
	}
	return err
}
