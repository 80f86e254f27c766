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

// ListUploaded returns the files on the channel that belong to the release: those of packages that it releases or publishes along with them. Files of
// other packages belong to earlier releases.
func (t *Trace) ListUploaded(h publish.Holdings) (up []publish.Published) {
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

// Look returns the packages on the channel. It returns an error if the channel is invisible although something was, or may have been, uploaded.
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
		return h, operr.New(plan.SameChannel, "the release of %s was begun for the channel %s, but the channel is %s now, so it is not known which packages were uploaded", t.Plan.Title, t.Plan.Channel, c.URL())
	}
	if h, err = publish.Look(ctx, c, w.Packages); err != nil || h.Exists {
		return h, err
	}
	if h.Unseen != nil {
		begun, err := t.explainBegun(ctx, commit, c.URL())
		if begun == "" || err != nil {
			return h, err
		}
		return h, operr.NewStopped("set a credential that can read the channel, such as PREFIX_API_KEY, and run this command again",
			"%s, but the channel is not visible without a credential, so it is not known which packages were uploaded (%v)", begun, h.Unseen)
	}
	sent, err := t.explainSent(ctx, commit, c.URL())
	if sent == "" || err != nil {
		return h, err
	}
	access, err := c.Authorize(ctx)
	if err != nil {
		return h, err
	}
	return h, operr.NewStopped("set a credential of an account that may read the channel, such as PREFIX_API_KEY, and run `mage undo` again; if the channel does not exist, create the channel first; to continue the release instead, run `mage release`",
		"%s, but the channel is not visible, without a credential or with %s, so it is not known which packages were uploaded", sent, access).WithWayOn()
}

// explainBegun returns the reason why an upload may have begun, according to the journal and the CI; "" if none can have. A CI starts after the tag
// is pushed; if it can be queried and has no run, it has not started. Without a journal, other clones may have uploaded packages.
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

// explainSent returns the reason why a channel that is invisible to a credential must exist and have packages; a private channel is invisible to
// accounts that are not members. It returns "" if the channel probably does not exist, for example because every upload was rejected.
func (t *Trace) explainSent(ctx context.Context, commit, channel string) (string, error) {
	what := t.Plan.Title + " to " + channel
	switch {
	case t.Past.hasEnded(StepPublish):
		return "the upload of " + what + " has succeeded", nil
	case t.By() == settings.PublishHere && t.Past.LeftOff(StepPublish):
		return "the upload of " + what + " was started and then stopped", nil
	case t.By() == settings.PublishHere && t.Past.HasBegun(StepPublish) && !t.Past.refused():
		return "the upload of " + what + " was begun, but failed", nil
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

// FindRunning returns the URL of a CI run that may be uploading now, or "".
func (t *Trace) FindRunning(ctx context.Context, commit string) (string, error) {
	if t.By() != settings.PublishCI || t.Hub.Client == nil {
		return "", nil
	}
	runs, err := t.runs(ctx, commit)
	if err != nil {
		return "", operr.New("cancel any run of "+forge.Workflow+" that is in progress; then run this command again with a GITHUB_TOKEN that may read the runs of "+t.Hub.Repository+" (`gh auth token` prints yours)",
			"cannot find out whether CI is publishing now: %w", err)
	}
	for _, run := range runs {
		if !run.Completed() {
			return run.URL, nil
		}
	}
	return "", nil
}

// `runs` returns the workflow runs at the commit that may publish the release. It excludes runs for other tags that this clone has. A manual run may
// be for a branch, so it is included.
func (t *Trace) runs(ctx context.Context, commit string) ([]github.Run, error) {
	all, err := t.Hub.Client.Runs(ctx, forge.Query(commit))
	if err != nil || !slices.ContainsFunc(all, func(run github.Run) bool { return run.Ref != "" && !slices.Contains(t.Plan.Tags, run.Ref) }) {
		return all, err
	}
	tags, err := t.Repo.Tags(ctx)
	return slices.DeleteFunc(all, func(run github.Run) bool { return tags[run.Ref] != "" && !slices.Contains(t.Plan.Tags, run.Ref) }), err
}
