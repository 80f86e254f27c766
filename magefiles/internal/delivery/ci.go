package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// CI is a continuous integration system that runs when a commit is pushed.
type CI interface {
	// Watch returns the CI's progress for a commit. It returns an error if the CI has failed.
	Watch(ctx context.Context, commit string) (Sight, error)
}

// Sight is the progress of a CI for a commit.
type Sight struct {
	Says  string // current activity
	Held  bool   // the CI is waiting for an approval
	Ended bool   // the CI has succeeded, and will produce nothing more
}

// Runs implements CI with the GitHub runs that a push starts.
type Runs struct {
	Client   *github.Client // nil for a CI that cannot be queried
	Workflow string         // file name of the relevant workflow; "" for all workflows that a push starts
}

// Watch queries GitHub. If Workflow is set, it uses that workflow's newest run for the commit, regardless of the trigger.
func (r Runs) Watch(ctx context.Context, commit string) (Sight, error) {
	if r.Client == nil {
		return Sight{Says: "mage cannot ask this CI; look at the CI's page for this commit"}, nil
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
		return Sight{Says: "no run of " + r.Workflow + " for " + short(commit) + " has begun yet; `gh workflow run " + r.Workflow + "` begins a run if the push does not begin one"}, nil
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
		at = []string{"the CI has ended with success"}
	}
	seen.Says = strings.Join(at, ", ")
	return seen, nil
}

// follow returns the names of a run's active jobs, or who must approve the next one, or "" if the run has succeeded. It fails as soon as a job
// fails, without waiting for the other jobs, because the run can no longer succeed.
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
			return "", operr.New(run.Next()+"; then run `mage deliver`", "the CI's job %q for the commit %s ended without success (%s); see %s", job.Name, short(run.Commit), job.Conclusion, job.URL).WithWayOn()
		case job.Status == "in_progress":
			at = append(at, job.Name)
		}
	}
	if run.Completed() {
		return "", operr.New(run.Next()+"; then run `mage deliver`", "the CI's run for the commit %s ended without success (%s); see %s", short(run.Commit), run.Conclusion, run.URL).WithWayOn()
	}
	says := run.Status
	if run.Held() {
		says = r.reviewers(ctx, run)
	} else if len(at) > 0 {
		says = strings.Join(at, " and ")
	}
	return says + ": " + run.URL, nil
}

// reviewers returns who can approve a run.
func (r Runs) reviewers(ctx context.Context, run github.Run) string {
	approvals, err := r.Client.Approvals(ctx, run.ID)
	if err != nil || len(approvals) == 0 {
		return "someone must approve the run"
	}
	var said []string
	for _, a := range approvals {
		said = append(said, a.String())
	}
	return strings.Join(said, ", and ")
}

// mostOfCI limits the duration of a CI run, excluding the wait for reviewers. mostAfterCI limits the time between the end of the run and the
// appearance of its result, because a registry may show a new tag late.
const mostOfCI, mostAfterCI = time.Hour, time.Minute

// Await waits for the result of a CI run for a commit, until isThere returns true. `what` completes the sentence "waiting for".
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
	var ended time.Time // when the CI's success was first observed; zero before that
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
			err = operr.New("look in the CI's log for jobs that were skipped, and then run `mage deliver`", "the CI has ended with success, but did not make %s", what).WithWayOn()
		}
		return seen, err
	})
	if errors.Is(err, pause.ErrOver) {
		return operr.New("look at the CI's run; to continue waiting, run `mage deliver`", "after %s the CI has not made %s; %s", columns.Took(p.Waited), what, p.Seen.Says).WithWayOn()
	}
	return err
}
