package release

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// uploaded is what the channel has of the release: of the packages that it releases, and of those that it publishes along. What
// the channel has of others is of the releases before it.
func (r *Release) uploaded(h publish.Holdings) (up []publish.Published) {
	for _, p := range r.plan.Packages {
		if !r.plan.releases(p.Name) && !slices.Contains(r.plan.Along, p) {
			continue
		}
		for _, rec := range h.Of(p.Name, p.Version) {
			if p.Version != "" {
				up = append(up, publish.NewPublished(r.plan.Channel, rec, publish.There))
			}
		}
	}
	return up
}

// holdings is what the channel has. One that shows nothing is not believed where something was sent to it, or may have been.
func (r *Release) holdings(ctx context.Context, commit string) (h publish.Holdings, err error) {
	w, err := workspace.Load(r.Root)
	if err != nil {
		return h, err
	}
	c, err := r.Channel(w)
	if err != nil {
		return h, err
	}
	if c.URL() != r.plan.Channel {
		return h, operr.New(sameChannel, "the release of %s was begun for %s, and the channel is %s now: what was uploaded cannot be told", r.plan.Title, r.plan.Channel, c.URL())
	}
	if h, err = publish.Look(ctx, c, w.Packages); err != nil || h.Exists {
		return h, err
	}
	if h.Unseen != nil {
		begun, err := r.uploadBegun(ctx, commit, c.URL())
		if begun == "" || err != nil {
			return h, err
		}
		return h, operr.NewStopped("set what the channel is read with, such as PREFIX_API_KEY, and undo again",
			"%s, and that is not there for anyone now: where it is private, what it has cannot be told without a credential (%v)", begun, h.Unseen)
	}
	sent, err := r.uploadSent(ctx, commit, c.URL())
	if sent == "" || err != nil {
		return h, err
	}
	access, err := c.Authorize(ctx)
	if err != nil {
		return h, err
	}
	return h, operr.NewStopped("set a credential of an account that may read the channel, such as PREFIX_API_KEY, and undo again; `mage release` goes on with it",
		"%s, and that is there neither for anyone now, nor for who has %s: what it has cannot be told", sent, access)
}

// uploadBegun says why something may be on a channel, as far as the journal and the CI know; "" where nothing is. A CI begins once the tag is
// pushed; one that can be asked, and has no run of it, has not begun. A clone without a journal knows nothing of what others have sent.
func (r *Release) uploadBegun(ctx context.Context, commit, channel string) (string, error) {
	what := r.plan.Title + " to " + channel
	switch {
	case r.past == nil && r.By() == workspace.PublishHere:
		return "another clone may have uploaded " + what, nil
	case r.past.ended(StepPublish) || r.By() == workspace.PublishHere && r.past.began(StepPublish):
		return "the upload of " + what + " was begun", nil
	case r.By() == workspace.PublishHere || r.past != nil && !r.past.began(StepPush):
		return "", nil
	case r.GitHub.Client == nil:
		return "a CI may have uploaded " + what, nil
	}
	runs, err := r.GitHub.Client.Runs(ctx, hubQuery(commit))
	if err != nil || len(runs) == 0 {
		return "", err
	}
	return "the CI run " + runs[0].URL + " may have uploaded " + what, nil
}

// uploadSent says why something must be on a channel that shows nothing to who asks with a credential: a private channel is not there for
// accounts that are no members of it. It is "" where it is likelier that there is no channel: an upload fails then, and is known to have.
func (r *Release) uploadSent(ctx context.Context, commit, channel string) (string, error) {
	what := r.plan.Title + " to " + channel
	switch {
	case r.past.ended(StepPublish):
		return "the upload of " + what + " has ended well", nil
	case r.By() == workspace.PublishHere && r.past.leftOff(StepPublish):
		return "the upload of " + what + " was begun, and left off", nil
	case r.By() == workspace.PublishHere || r.GitHub.Client == nil:
		return "", nil
	}
	runs, err := r.GitHub.Client.Runs(ctx, hubQuery(commit))
	for _, run := range runs {
		if run.Succeeded() {
			return "the CI run " + run.URL + " has uploaded " + what, err
		}
	}
	return "", err
}

// running is where a CI may be uploading right now.
func (r *Release) running(ctx context.Context, commit string) (string, error) {
	if r.By() != workspace.PublishCI || r.GitHub.Client == nil {
		return "", nil
	}
	runs, err := r.GitHub.Client.Runs(ctx, hubQuery(commit))
	if err != nil {
		return "", operr.New("see whether a run of "+Workflow+" is under way, and cancel it", "whether CI is publishing cannot be told: %w", err)
	}
	for _, run := range runs {
		if !run.Completed() {
			return run.URL, nil
		}
	}
	return "", nil
}
