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
	// Watch says how far the CI is with a commit. It fails where it has failed.
	Watch(ctx context.Context, commit string) (Sight, error)
}

// Sight is what is seen of a CI.
type Sight struct {
	Says  string // where it is at work
	Held  bool   // it waits for a person
	Ended bool   // it has ended well: nothing more comes of it
}

// Runs are those of GitHub that a push starts.
type Runs struct {
	Client   *github.Client // nil for a CI that cannot be asked
	Workflow string         // the file name of the one that counts; "" is each that a push starts
}

// Watch asks GitHub. Of the workflow that counts the newest run for the commit is meant, whatever began it.
func (r Runs) Watch(ctx context.Context, commit string) (Sight, error) {
	if r.Client == nil {
		return Sight{Says: "see what the CI does for it"}, nil
	}
	q := github.Query{Commit: commit, Workflow: r.Workflow}
	if r.Workflow == "" {
		q.Event = "push"
	}
	runs, err := r.Client.Runs(ctx, q)
	switch {
	case err != nil:
		return Sight{}, err
	case len(runs) == 0 && r.Workflow == "":
		return Sight{Says: "no run for " + short(commit) + " has begun yet"}, nil
	case len(runs) == 0:
		return Sight{Says: "no run of " + r.Workflow + " for " + short(commit) + " has begun yet; `gh workflow run " + r.Workflow + "` begins one where a push does not"}, nil
	case r.Workflow != "":
		runs = runs[:1]
	}
	seen := Sight{Ended: true}
	var at []string
	for _, run := range runs {
		says, err := r.follow(ctx, run)
		if err != nil {
			return Sight{}, err
		}
		if says != "" {
			seen.Held, seen.Ended = seen.Held || run.Held(), false
			at = append(at, says)
		}
	}
	if seen.Ended {
		at = []string{"the CI has ended well"}
	}
	seen.Says = strings.Join(at, ", ")
	return seen, nil
}

// follow says which jobs of a run are at work, or who has to approve the next one; "" once it has ended well. It fails with the first job that
// fails: what is waited for does not come any more, however long the others take.
func (r Runs) follow(ctx context.Context, run github.Run) (string, error) {
	if run.Succeeded() {
		return "", nil
	}
	jobs, err := r.Client.Jobs(ctx, run.ID)
	if err != nil {
		return "", err
	}
	var at []string
	for _, job := range jobs {
		switch {
		case job.Failed():
			return "", operr.New(run.Next()+"; then `mage deliver`", "the CI's job %q for %s ended without success (%s): %s", job.Name, short(run.Commit), job.Conclusion, job.URL).WithWayOn()
		case job.Status == "in_progress":
			at = append(at, job.Name)
		}
	}
	if run.Completed() {
		return "", operr.New(run.Next()+"; then `mage deliver`", "the CI's run for %s ended without success (%s): %s", short(run.Commit), run.Conclusion, run.URL).WithWayOn()
	}
	says := run.Status
	if run.Held() {
		says = r.reviewers(ctx, run)
	} else if len(at) > 0 {
		says = strings.Join(at, " and ")
	}
	return says + ": " + run.URL, nil
}

// reviewers says who has to approve a run.
func (r Runs) reviewers(ctx context.Context, run github.Run) string {
	approvals, err := r.Client.Approvals(ctx, run.ID)
	if err != nil || len(approvals) == 0 {
		return "somebody has to approve it"
	}
	var said []string
	for _, a := range approvals {
		said = append(said, a.String())
	}
	return strings.Join(said, ", and ")
}

// mostOfCI is how long a CI may take, reviewers aside, and mostAfterCI for how long nothing may be seen of what it has done: a registry may show
// a tag late.
const mostOfCI, mostAfterCI = time.Hour, time.Minute

// Await waits for what a CI does for a commit, until isThere says that it is there. what goes behind "waiting for".
func Await(ctx context.Context, ci CI, commit, what string, tell func(pause.Progress), isThere func(ctx context.Context) (bool, error)) error {
	w := pause.Wait{
		First: time.Second,
		Times: 1.5,
		Most:  15 * time.Second,
		For:   mostOfCI,
		Tell:  tell,
		Now:   time.Now,
	}
	return await(ctx, w, ci, commit, what, isThere)
}

func await(ctx context.Context, w pause.Wait, ci CI, commit, what string, isThere func(ctx context.Context) (bool, error)) error {
	w.What = what
	var ended time.Time // since when it is known to have ended well
	p, err := w.Until(ctx, func(ctx context.Context) (seen pause.Seen, err error) {
		if seen.Done, err = isThere(ctx); err != nil || seen.Done {
			return seen, err
		}
		sight, err := ci.Watch(ctx, commit)
		seen.Says, seen.Held = sight.Says, sight.Held
		switch {
		case err != nil || !sight.Ended:
			ended = time.Time{}
		case ended.IsZero():
			ended = w.Now()
		case w.Now().Sub(ended) > mostAfterCI:
			err = operr.New("see in its log which jobs it left out, and why; then `mage deliver`", "the CI has ended well, and there is nothing of %s", what).WithWayOn()
		}
		return seen, err
	})
	if errors.Is(err, pause.ErrOver) {
		return operr.New("see what the CI does; `mage deliver` goes on waiting", "after %v there is nothing of %s; %s", p.Waited.Round(time.Second), what, p.Seen.Says).WithWayOn()
	}
	return err
}
