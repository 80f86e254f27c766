package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// landing is a release whose commit comes to its branch by a pull request, with what of it is known so far.
type landing struct {
	*run
	byJobs bool   // release-pr.yml proposes and tags
	before string // the commit that the branch was at
	merged string // the commit that the pull request was merged as
}

// landsByPull reports whether a release here lands by a pull request. One that is begun has landed already, and so have versions that are not tagged.
func (r *run) landsByPull() bool {
	return r.w.Config.Land == settings.LandByPull && r.unfinished == nil && r.landed == nil
}

// land has the release proposed, and merged by a person. ended reports that jobs have done all the rest; else the release goes on in the clone.
func (r *run) land(ctx context.Context) (ended bool, err error) {
	l := &landing{run: r, byJobs: r.by() == settings.PublishCI && r.world.files.Proposes(ctx, r.head.Commit)}
	l.before, _ = r.world.Bare().Branch(r.branch)
	r.world.Hub.Protect(r.branch, server.Rules{Pulls: true, Check: "ci"})
	if err := r.world.Bare().Guard("", r.branch); err != nil {
		return false, err
	}
	r.report.ByPull = true
	r.missing("what the check of the pull request does", "it is taken for passed; `mage ci:run FILE -event=pull_request` runs one that starts for it")
	if l.byJobs {
		r.missing("the GitHub App of release-pr.yml", "the jobs have GITHUB_TOKEN alone, so that somebody presses \"Approve and run\" for the check of what they propose")
		if err := r.step(forge.Proposing+" for a push to "+r.branch, func() (string, error) { return l.pushed(ctx, "") }); err != nil {
			return false, err
		}
	}
	if err := r.step("propose it", func() (string, error) { return l.propose(ctx) }); err != nil {
		return false, err
	}
	if err := r.step("merge the pull request", func() (string, error) { return l.merge() }); err != nil {
		return false, err
	}
	if l.byJobs {
		if err := r.step(forge.Proposing+" for the merge", func() (string, error) { return l.pushed(ctx, l.before) }); err != nil {
			return false, err
		}
		if err := r.step(forge.Workflow+" at the tag", func() (string, error) { return l.published(ctx) }); err != nil {
			return false, err
		}
	}
	return l.byJobs, r.step("pull", func() (string, error) { return "the clone is at what was merged", l.follow(ctx) })
}

// pushed runs release-pr.yml for a push.
func (l *landing) pushed(ctx context.Context, before string) (string, error) {
	job, err := l.world.Proposes(ctx, l.branch, before)
	if err == nil && !job.OK {
		err = operr.New("correct what it says, commit that, and `mage rehearse` again", "%s did not go well", forge.Proposing).WithDetail(job.Log)
	}
	if err != nil {
		return "", err
	}
	var ran []string
	for _, j := range job.Run.Jobs {
		ran = append(ran, j.Name+": "+j.Conclusion)
	}
	return strings.Join(ran, ", "), nil
}

// propose lets the person propose what was asked for, unless a job has proposed something already and nothing was asked for.
func (l *landing) propose(ctx context.Context) (said string, err error) {
	if p, _ := l.world.Hub.NewestPull(l.branch); p.Open && !l.chosen {
		return fmt.Sprintf("#%d, %q, is proposed", p.Number, p.Title), nil
	}
	args, err := l.requested(ctx)
	if err != nil {
		return "", err
	}
	if err := l.runRelease(ctx, append([]string{"release", "-pr"}, args...)); err != nil {
		return "", err
	}
	p, _ := l.world.Hub.NewestPull(l.branch)
	if !p.Open {
		return "", operr.New("see what it says above", "no pull request was opened: there is nothing to rehearse")
	}
	return fmt.Sprintf("#%d, %q, is proposed by a person", p.Number, p.Title), nil
}

// merge merges it by a squash, with the message that GitHub offers, once its check has passed.
func (l *landing) merge() (string, error) {
	p, _ := l.world.Hub.NewestPull(l.branch)
	merged, how, err := l.world.Hub.MergeChecked(p.Number)
	l.merged = merged
	return fmt.Sprintf("%s; squashed to %.12s of %s", how, l.merged, l.branch), err
}

// published waits for the runs that were asked for, and reads what they did.
func (l *landing) published(ctx context.Context) (string, error) {
	settled := make(chan struct{})
	go func() { l.world.Settle(); close(settled) }() // ends with the world, at the latest
	select {
	case <-settled:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	var tags []string
	last := map[string]Job{}
	for _, job := range l.world.Jobs() {
		if job.Tag != "" {
			if _, known := last[job.Tag]; !known {
				tags = append(tags, job.Tag)
			}
			last[job.Tag] = job
		}
	}
	if len(tags) == 0 {
		return "", operr.New("see the jobs of "+forge.Proposing+" above", "no run of %s was asked for", forge.Workflow)
	}
	l.report.Release = strings.Join(tags, ", ")
	for _, tag := range tags {
		job := last[tag]
		if !job.OK {
			return "", operr.New("correct what it says, commit that, and `mage rehearse` again", "%s did not go well at %s", forge.Workflow, tag).WithDetail(job.Log)
		}
		if job.Run == nil {
			return "", operr.New("`mage ci:write` writes one that does", "%s of the commit publishes nothing by `mage publish`", forge.Workflow)
		}
		var sent publishing.Result
		if err := json.Unmarshal(job.Run.Artifacts[forge.Recording][publish.RecordingFile], &sent); err != nil {
			return "", operr.New("", "reading what %s has kept of %s: %w", forge.Workflow, tag, err)
		}
		l.report.Packages = publish.Union(l.report.Packages, sent.Packages)
	}
	released, drafts := l.world.Hub.Published()
	made := map[string]bool{}
	for _, r := range released {
		made[r.Tag] = true
	}
	for _, tag := range tags {
		if !made[tag] {
			return "", operr.New("`mage ci:write` writes a "+forge.Workflow+" whose last job makes it", "%s is published, and no GitHub release was made of it (%s)", tag, operr.Count(drafts, "draft"))
		}
	}
	l.report.Released = string(trace.Released)
	return fmt.Sprintf("%s: %s published, and the GitHub release made", l.report.Release, operr.Count(len(l.report.Packages), "package")), nil
}

// follow brings the clone to what was merged, with its tags.
func (l *landing) follow(ctx context.Context) error {
	quiet := []string{"-c", "core.hooksPath=" + os.DevNull}
	return errors.Join(
		l.inClone(ctx, slices.Concat(quiet, []string{"fetch", "--quiet", "--prune", "--", l.w.Config.Remote})...),
		l.inClone(ctx, slices.Concat(quiet, []string{"reset", "--quiet", "--merge", l.merged})...),
	)
}
