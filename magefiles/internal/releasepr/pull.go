package releasepr

import (
	"context"
	"errors"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// refuseHub refuses a token that opens no pull request, before the branch is pushed.
func (r *proposal) refuseHub(ctx context.Context) error {
	if r.hub.Client == nil {
		return nil // it is opened by hand
	}
	const next = "set GITHUB_TOKEN to one that may write pull requests (`gh auth token` prints yours)"
	if !r.hub.Token {
		return operr.New(next, "there is no GITHUB_TOKEN: no pull request can be opened in %s; nothing was changed", r.hub.Repository)
	}
	d, err := r.hub.Client.Details(ctx)
	switch {
	case err != nil:
		return err
	case d.Archived:
		return operr.New("unarchive it, or choose another remote", "the repository %s is archived: nothing can be written to it", r.hub.Repository)
	case d.Push != nil && !*d.Push && d.ForkOf == "":
		return operr.New("give GITHUB_TOKEN a token whose owner may push", "the owner of GITHUB_TOKEN may read %s, and not push: a release is proposed from a branch of the repository itself; nothing was changed", r.hub.Repository)
	case d.ForkOf != "":
		return operr.New("set [tool.release] remote to the remote that is "+d.ForkOf+": `git remote add upstream URL`; a fork that is released by itself is made a repository of its own in its settings, \"Leave fork network\"",
			"%s is a fork of %s: a release is proposed in the original, from a branch of its own; nothing was changed", r.hub.Repository, d.ForkOf)
	}
	return nil
}

// pulls are the pull requests that ever came from the branch, the newest first; none where they cannot be asked for.
func (r *proposal) pulls(ctx context.Context) ([]github.Pull, error) {
	if r.hub.Client == nil {
		return nil, nil
	}
	return r.hub.Client.Pulls(ctx, r.branch)
}

// landing is the pull request that became a commit of the base; nil where none did, or where they cannot be asked for.
func (r *proposal) landing(ctx context.Context, commit string) (*github.Pull, error) {
	all, err := r.pulls(ctx)
	return forge.Landing(all, r.base, commit), err
}

// errClosed is in the chain where somebody has closed the pull request of this very release.
var errClosed = errors.New("not opened again by itself")

// choosePull chooses the one that is renewed; nil where one is to be opened.
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
		return nil, operr.NewStopped("close all but the one that goes to "+r.base, "%s are open from the branch %s: %s; nothing was changed", operr.Count(len(open), "pull request"), r.branch, strings.Join(named, ", "))
	case len(open) == 1 && open[0].Base != r.base:
		return nil, operr.NewStopped("let it go to "+r.base+" again, or close it", "the pull request %s was turned to %s, and proposes a release of %s; nothing was changed", open[0].URL, open[0].Base, r.base)
	case len(open) == 1:
		return &open[0], nil
	case len(all) > 0 && !all[0].Merged && all[0].Title == titleOf(of) && all[0].Base == r.base:
		next := "open it again there, and run it again"
		if r.refs.Branches[r.branch] == "" {
			next = "restore its branch and open it again there, and run it again"
		}
		return nil, operr.NewStopped(next+"; or propose another version", "somebody has closed the pull request of %s: %s; it is %w, and nothing was changed", of.title, all[0].URL, errClosed)
	}
	return nil, nil
}

// putPull opens the pull request, or gives the one that is open its title and its text.
func (r *proposal) putPull(ctx context.Context, open *github.Pull, text text) (*github.Pull, error) {
	if open != nil {
		if text.isIn(*open) {
			return open, nil
		}
		return open, r.hub.Client.EditPull(ctx, open.Number, text.title, text.in(open.Body))
	}
	made, err := r.hub.Client.OpenPull(ctx, github.NewPull{
		Title: text.title,
		Body:  text.in(""),
		Base:  r.base,
		Head:  r.branch,
	})
	if err == nil {
		return &made, nil
	}
	all, failed := r.hub.Client.Pulls(ctx, r.branch) // its answer may be what was lost
	if failed == nil && len(all) > 0 && all[0].Open && all[0].Base == r.base {
		return &all[0], nil
	}
	return nil, operr.New(operr.NextOf(err)+"; then run it again: the branch "+r.branch+" is pushed", "%w", err)
}

// end says what is there now, and where it is to be pressed or opened.
func (r *proposal) end(result Result, open *github.Pull, is string) Result {
	if open != nil {
		result.Number, result.URL = open.Number, open.URL
		r.View.Heading("%s %s: %s", result.Title, is, open.URL)
		return result
	}
	r.View.Heading("the branch %s %s", r.branch, is)
	r.View.Line("open a pull request of it by hand, into %s, called: %s", r.base, result.Title)
	return result
}

// explainPush says why the branch was not taken.
func (r *proposal) explainPush(err error) error {
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("push it with credentials that may write workflows: run `mage release -pr` on a laptop, or give the App of RELEASE_PR_TOKEN \"Workflows: read and write\"",
			"%s takes no branch from this token whose workflow files no other branch has: %w", r.remote, err)
	case errors.Is(err, gitremote.ErrRejected):
		return operr.New("where somebody has pushed to it meanwhile, run it again; a rule for branches has to let "+r.branch+" through", "%s did not take the branch %s: %w", r.remote, r.branch, err)
	}
	return err
}
