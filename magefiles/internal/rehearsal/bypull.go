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

// landing is the state of a release that lands by a pull request.
type landing struct {
	*run
	byJobs bool   // release-pr.yml opens the pull request and tags
	before string // the branch's commit before the merge
	merged string // the commit of the merged pull request
}

// landsByPull reports whether this release lands by a pull request. An unfinished release and untagged versions have landed already.
func (r *run) landsByPull() bool {
	return r.w.Config.Land == settings.LandByPull && r.unfinished == nil && r.landed == nil
}

// land proposes the release and merges it, as a user would. `ended` reports whether jobs have done everything else; if not, the release continues in
// the clone.
func (r *run) land(ctx context.Context) (ended bool, err error) {
	l := &landing{run: r, byJobs: r.by() == settings.PublishCI && r.world.files.Proposes(ctx, r.head.Commit)}
	l.before, _ = r.world.Bare().Branch(r.branch)
	r.world.Hub.Protect(r.branch, server.Rules{Pulls: true, Check: "ci"})
	if err := r.world.Bare().Guard("", r.branch); err != nil {
		return false, err
	}
	r.report.ByPull = true
	r.missing("the check of the pull request", "it counts as passed; `mage ci:run FILE -event=pull_request` runs a workflow file that starts for pull requests")
	if l.byJobs {
		r.missing("the GitHub App of release-pr.yml", "the jobs have only GITHUB_TOKEN, so someone must press \"Approve and run\" for the check of the pull request")
		if err := r.step(forge.Proposing+" for a push to "+r.branch, func() (string, error) { return l.runReleasePR(ctx, "") }); err != nil {
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
		if err := r.step(forge.Proposing+" for the merge", func() (string, error) { return l.runReleasePR(ctx, l.before) }); err != nil {
			return false, err
		}
		if err := r.step(forge.Workflow+" at the tag", func() (string, error) { return l.waitForPublish(ctx) }); err != nil {
			return false, err
		}
	}
	return l.byJobs, r.step("pull", func() (string, error) { return "the clone is at the merged commit", l.follow(ctx) })
}

// runReleasePR runs release-pr.yml for a push.
func (l *landing) runReleasePR(ctx context.Context, before string) (string, error) {
	job, err := l.world.Proposes(ctx, l.branch, before)
	if err == nil && !job.OK {
		err = operr.New("correct the error above, commit, and run `mage rehearse` again", "the workflow %s failed", forge.Proposing).WithDetail(job.Log)
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

// propose proposes the release, as a user would. It is a no-op if a job has opened a pull request and no version was requested.
func (l *landing) propose(ctx context.Context) (said string, err error) {
	if p, _ := l.world.Hub.NewestPull(l.branch); p.Open && !l.chosen {
		return fmt.Sprintf("#%d, %q, is proposed", p.Number, p.Title), nil
	}
	args, err := l.requestArgs(ctx)
	if err != nil {
		return "", err
	}
	if err := l.runRelease(ctx, append([]string{"release", "-pr"}, args...)); err != nil {
		return "", err
	}
	p, _ := l.world.Hub.NewestPull(l.branch)
	if !p.Open {
		return "", operr.New("look for the reason in the output above", "no pull request was opened, so there is nothing to rehearse")
	}
	return fmt.Sprintf("#%d, %q, is proposed by a person", p.Number, p.Title), nil
}

// merge waits until the pull request's check has passed, then squash-merges with GitHub's default message.
func (l *landing) merge() (string, error) {
	p, _ := l.world.Hub.NewestPull(l.branch)
	merged, how, err := l.world.Hub.MergeChecked(p.Number)
	l.merged = merged
	return fmt.Sprintf("%s; squashed to %.12s on %s", how, l.merged, l.branch), err
}

// waitForPublish waits for the runs that the jobs started, and reads their results.
func (l *landing) waitForPublish(ctx context.Context) (string, error) {
	settled := make(chan struct{})
	go func() { l.world.Settle(); close(settled) }() // ends no later than the world
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
		return "", operr.New("look for the reason in the jobs of "+forge.Proposing+" above", "no job has started a run of %s", forge.Workflow)
	}
	l.report.Release = strings.Join(tags, ", ")
	for _, tag := range tags {
		job := last[tag]
		if !job.OK {
			return "", operr.New("correct the error above, commit, and run `mage rehearse` again", "the workflow %s failed at %s", forge.Workflow, tag).WithDetail(job.Log)
		}
		if job.Run == nil {
			return "", operr.New("run `mage ci:write`, which writes a workflow that publishes", "%s of the commit does not call `mage publish`", forge.Workflow)
		}
		var sent publishing.Result
		if err := json.Unmarshal(job.Run.Artifacts[forge.Recording][publish.RecordingFile], &sent); err != nil {
			return "", operr.New("", "reading the record that %s made for the tag %s: %w", forge.Workflow, tag, err)
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
			return "", operr.New("run `mage ci:write`, which writes a "+forge.Workflow+" whose last job makes the GitHub release", "%s is published, but has no GitHub release (%s)", tag, operr.Count(drafts, "draft"))
		}
	}
	l.report.Released = string(trace.Released)
	return fmt.Sprintf("%s: %s published, and the GitHub release made", l.report.Release, operr.Count(len(l.report.Packages), "package")), nil
}

// follow updates the clone to the merged commit, with its tags.
func (l *landing) follow(ctx context.Context) error {
	quiet := []string{"-c", "core.hooksPath=" + os.DevNull}
	return errors.Join(
		l.inClone(ctx, slices.Concat(quiet, []string{"fetch", "--quiet", "--prune", "--", l.w.Config.Remote})...),
		l.inClone(ctx, slices.Concat(quiet, []string{"reset", "--quiet", "--merge", l.merged})...),
	)
}
