package releasepr

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// refuseHub returns an error if the token cannot open a pull request. It is called before the branch is pushed.
func (r *proposal) refuseHub(ctx context.Context) error {
	if r.hub.Client == nil {
		return nil // the user opens the pull request by hand
	}
	const next = "set GITHUB_TOKEN to a token that may write pull requests (`gh auth token` prints yours)"
	if !r.hub.Token {
		return operr.New(next, "GITHUB_TOKEN is not set, so no pull request can be opened in %s; nothing was changed", r.hub.Repository)
	}
	d, err := r.hub.Client.Details(ctx)
	switch {
	case err != nil:
		return err
	case d.Archived:
		return operr.New("unarchive the repository, or choose another remote", "the repository %s is archived, so nothing can be pushed to the repository", r.hub.Repository)
	case d.Push != nil && !*d.Push && d.ForkOf == "":
		return operr.New("set GITHUB_TOKEN to a token whose owner may push", "the owner of GITHUB_TOKEN may read %s, but may not push the branch from which a release is proposed; nothing was changed", r.hub.Repository)
	case d.ForkOf != "":
		return operr.New("add "+d.ForkOf+" as a remote with `git remote add upstream URL`, and set `remote = \"upstream\"` in [tool.release]; if the fork should have its own releases, choose \"Leave fork network\" in the settings of the fork",
			"%s is a fork of %s, but a release is proposed from a branch of the original repository; nothing was changed", r.hub.Repository, d.ForkOf)
	}
	return nil
}

// pulls returns all pull requests from the branch, including closed ones, newest first; none if GitHub cannot be queried.
func (r *proposal) pulls(ctx context.Context) ([]github.Pull, error) {
	if r.hub.Client == nil {
		return nil, nil
	}
	return r.hub.Client.Pulls(ctx, r.branch)
}

// landing returns the pull request that was merged into the base as commit; nil if there is none, or if GitHub cannot be queried.
func (r *proposal) landing(ctx context.Context, commit string) (*github.Pull, error) {
	all, err := r.pulls(ctx)
	return forge.Landing(all, r.base, commit), err
}

// errClosed means that someone has closed the pull request of the same release.
var errClosed = errors.New("a closed pull request is not opened again automatically")

// choosePull returns the open pull request to update; nil if a new one should be opened.
func (r *proposal) choosePull(all []github.Pull, of of) (*github.Pull, error) {
	var open []github.Pull
	for _, p := range all {
		if p.Open {
			open = append(open, p)
		}
	}
	switch {
	case len(open) > 1:
		var named []string
		for _, p := range open {
			named = append(named, p.URL)
		}
		return nil, operr.NewStopped("close all of these pull requests except the one into "+r.base, "%s are open from the branch %s: %s; nothing was changed", operr.Count(len(open), "pull request"), r.branch, strings.Join(named, ", "))
	case len(open) == 1 && open[0].Base != r.base:
		return nil, operr.NewStopped("set the base of this pull request to "+r.base+" again, or close the pull request", "someone changed the base of the pull request %s to %s, but the pull request proposes a release of %s; nothing was changed", open[0].URL, open[0].Base, r.base)
	case len(open) == 1:
		return &open[0], nil
	case len(all) > 0 && !all[0].Merged && all[0].Title == titleOf(of) && all[0].Base == r.base:
		next := "open the pull request again, and run this command again"
		if r.refs.Branches[r.branch] == "" {
			next = "restore the branch of the pull request, open the pull request again, and run this command again"
		}
		return nil, operr.NewStopped(next+"; or propose another version", "someone has closed the pull request of %s (%s), and %w; nothing was changed", of.title, all[0].URL, errClosed)
	}
	return nil, nil
}

// putPull opens a pull request, or updates the title and text of an open one.
func (r *proposal) putPull(ctx context.Context, open *github.Pull, text text) (*github.Pull, error) {
	if open != nil {
		if text.isIn(*open) {
			return open, nil
		}
		return open, r.hub.Client.EditPull(ctx, open.Number, text.title, text.insertInto(open.Body))
	}
	made, err := r.hub.Client.OpenPull(ctx, github.NewPull{
		Title: text.title,
		Body:  text.insertInto(""),
		Base:  r.base,
		Head:  r.branch,
	})
	if err == nil {
		return &made, nil
	}
	all, failed := r.hub.Client.Pulls(ctx, r.branch) // the request may have succeeded even if its response was lost
	if failed == nil && len(all) > 0 && all[0].Open && all[0].Base == r.base {
		return &all[0], nil
	}
	return nil, operr.New(operr.NextOf(err)+"; then run this command again (the branch "+r.branch+" is already pushed)", "%w", err)
}

// end prints the result. Without a pull request, it prints what a user needs to open a pull request by hand.
func (r *proposal) end(result Result, open *github.Pull, is string) Result {
	if open != nil {
		result.Number, result.URL, result.ByJobs = open.Number, open.URL, r.goesOnByJobs()
		r.View.Heading("%s %s: %s", result.Title, is, open.URL)
		return result
	}
	r.View.Heading("the branch %s %s", r.branch, is)
	r.View.Line("open a pull request with the base %s and the title: %s", r.base, result.Title)
	return result
}

// goesOnByJobs reports whether CI jobs tag and publish merged versions. If so, `mage release` has nothing to do.
func (r *proposal) goesOnByJobs() bool {
	text, err := os.ReadFile(filepath.Join(r.repo.Top, ".github", "workflows", forge.Proposing))
	return err == nil && forge.Proposes(string(text)) && r.w.Config.Publish != settings.PublishHere
}

// explainPush adds the reason and the next step to the error of a rejected push.
func (r *proposal) explainPush(err error) error {
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("push the branch with credentials that may write workflows: run `mage release -pr` on a laptop, or give the GitHub App that makes RELEASE_PR_TOKEN the permission \"Workflows: read and write\"",
			"%s refused the push with this token, because the branch has workflow files that no other branch has: %w", r.remote, err)
	case errors.Is(err, gitremote.ErrRejected):
		return operr.New("if someone else has pushed to the branch, run this command again; otherwise change the branch rules so that pushes to "+r.branch+" are allowed", "%s refused the push to the branch %s: %w", r.remote, r.branch, err)
	}
	return err
}
