package trace

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Uploaded is what the channel has of the release: of the packages that it releases, and of those that it publishes along. What
// the channel has of others is of the releases before it.
func (t *Trace) Uploaded(h publish.Holdings) (up []publish.Published) {
	for _, p := range t.Plan.Packages {
		if !t.Plan.Releases(p.Name) && !slices.Contains(t.Plan.Along, p) {
			continue
		}
		for _, rec := range h.Of(p.Name, p.Version) {
			if p.Version != "" {
				up = append(up, publish.NewPublished(t.Plan.Channel, rec, publish.There))
			}
		}
	}
	return up
}

// Look is what the channel has. One that shows nothing is not believed where something was sent to it, or may have been.
func (t *Trace) Look(ctx context.Context, commit string) (h publish.Holdings, err error) {
	w, err := workspace.Load(t.Root)
	if err != nil {
		return h, err
	}
	c, err := t.Channel(w)
	if err != nil {
		return h, err
	}
	if c.URL() != t.Plan.Channel {
		return h, operr.New(plan.SameChannel, "the release of %s was begun for %s, and the channel is %s now: what was uploaded cannot be told", t.Plan.Title, t.Plan.Channel, c.URL())
	}
	if h, err = publish.Look(ctx, c, w.Packages); err != nil || h.Exists {
		return h, err
	}
	if h.Unseen != nil {
		begun, err := t.explainBegun(ctx, commit, c.URL())
		if begun == "" || err != nil {
			return h, err
		}
		return h, operr.NewStopped("set what the channel is read with, such as PREFIX_API_KEY, and undo again",
			"%s, and that is not there for anyone now: where it is private, what it has cannot be told without a credential (%v)", begun, h.Unseen)
	}
	sent, err := t.explainSent(ctx, commit, c.URL())
	if sent == "" || err != nil {
		return h, err
	}
	access, err := c.Authorize(ctx)
	if err != nil {
		return h, err
	}
	return h, operr.NewStopped("set a credential of an account that may read the channel, such as PREFIX_API_KEY, and undo again; where there is no such channel, make it, and undo again; `mage release` goes on with it",
		"%s, and that is there neither for anyone now, nor for who has %s: what it has cannot be told", sent, access).WithWayOn()
}

// explainBegun says why something may be on a channel, as far as the journal and the CI know; "" where nothing is. A CI begins once the tag is
// pushed; one that can be asked, and has no run of it, has not begun. A clone without a journal knows nothing of what others have sent.
func (t *Trace) explainBegun(ctx context.Context, commit, channel string) (string, error) {
	what := t.Plan.Title + " to " + channel
	switch {
	case t.Past == nil && t.By() == settings.PublishHere:
		return "another clone may have uploaded " + what, nil
	case t.Past.hasEnded(StepPublish) || t.By() == settings.PublishHere && t.Past.HasBegun(StepPublish):
		return "the upload of " + what + " was begun", nil
	case t.By() == settings.PublishHere || t.Past != nil && !t.Past.HasBegun(StepPush):
		return "", nil
	case t.Hub.Client == nil:
		return "a CI may have uploaded " + what, nil
	}
	runs, err := t.runs(ctx, commit)
	if err != nil || len(runs) == 0 {
		return "", err
	}
	return "the CI run " + runs[0].URL + " may have uploaded " + what, nil
}

// explainSent says why something must be on a channel that shows nothing to who asks with a credential: a private channel is not there for
// accounts that are no members of it. It is "" where it is likelier that there is no channel: each file of an upload is refused then, and is known to
// have been.
func (t *Trace) explainSent(ctx context.Context, commit, channel string) (string, error) {
	what := t.Plan.Title + " to " + channel
	switch {
	case t.Past.hasEnded(StepPublish):
		return "the upload of " + what + " has ended well", nil
	case t.By() == settings.PublishHere && t.Past.LeftOff(StepPublish):
		return "the upload of " + what + " was begun, and left off", nil
	case t.By() == settings.PublishHere && t.Past.HasBegun(StepPublish) && !t.Past.refused():
		return "the upload of " + what + " was begun, and has failed", nil
	case t.By() == settings.PublishHere || t.Hub.Client == nil:
		return "", nil
	}
	runs, err := t.runs(ctx, commit)
	for _, run := range runs {
		if run.Succeeded() {
			return "the CI run " + run.URL + " has uploaded " + what, err
		}
	}
	return "", err
}

// FindRunning finds where a CI may be uploading right now.
func (t *Trace) FindRunning(ctx context.Context, commit string) (string, error) {
	if t.By() != settings.PublishCI || t.Hub.Client == nil {
		return "", nil
	}
	runs, err := t.runs(ctx, commit)
	if err != nil {
		return "", operr.New("see whether a run of "+forge.Workflow+" is under way, and cancel it; then run this again with a GITHUB_TOKEN that may read the runs of "+t.Hub.Repository+" (`gh auth token` prints yours)",
			"whether CI is publishing cannot be told: %w", err)
	}
	for _, run := range runs {
		if !run.Completed() {
			return run.URL, nil
		}
	}
	return "", nil
}

// runs are those of the workflow that may publish the release: at its commit, and for none of the other tags that this clone has. One that somebody
// started by hand is for a branch.
func (t *Trace) runs(ctx context.Context, commit string) ([]github.Run, error) {
	all, err := t.Hub.Client.Runs(ctx, forge.Query(commit))
	if err != nil || !slices.ContainsFunc(all, func(run github.Run) bool { return run.Ref != "" && !slices.Contains(t.Plan.Tags, run.Ref) }) {
		return all, err
	}
	tags, err := t.Repo.Tags(ctx)
	return slices.DeleteFunc(all, func(run github.Run) bool { return tags[run.Ref] != "" && !slices.Contains(t.Plan.Tags, run.Ref) }), err
}
