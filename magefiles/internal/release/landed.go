package release

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// findLanded works out the release of versions that a pull request has brought to the remote's branch, and that are not tagged; nil where there are
// none. A version that is asked for is released by its last commit, unless releases land by pull requests: then what has not landed is refused.
func (r *Release) findLanded(ctx context.Context) (*plan.Plan, error) {
	w, err := workspace.Load(r.Root)
	if err != nil {
		//lint:ignore nilerr preflight says it
		return nil, nil
	}
	byPull := w.Config.Land == settings.LandByPull
	if r.Request.To != "" && !byPull {
		return nil, nil
	}
	refs, err := gitremote.Read(ctx, r.Repo, w.Config.Remote)
	if err != nil {
		//lint:ignore nilerr preflight says it
		return nil, nil
	}
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	branch, on := w.Config.ReleaseBranch(head.Branch, refs.Default)
	landed, err := trace.FindLanded(ctx, r.Repo, r.Store, w, r.History, refs.Tags)
	if err != nil {
		return nil, err
	}
	if landed != nil && on {
		out, err := r.Repo.Contains(ctx, refs.Branches[branch], landed.Commit)
		if err != nil {
			return nil, err
		}
		if !out && refs.Branches[branch] != "" {
			if err := gitremote.Fetch(ctx, r.Repo, w.Config.Remote); err != nil {
				return nil, err
			}
			if out, err = r.Repo.Contains(ctx, refs.Branches[branch], landed.Commit); err != nil {
				return nil, err
			}
		}
		if out {
			p, err := r.draftLanded(ctx, landed, branch, refs)
			if p == nil || err != nil || r.Request.To == "" || p.Answers(r.Request) {
				return p, err
			}
		}
	}
	switch here, err := r.Repo.Contains(ctx, head.Commit, refs.Branches[branch]); {
	case err != nil:
		return nil, err
	case !byPull:
		return nil, nil
	case on && !here:
		return nil, operr.New("`git pull`, and run it again", "releases of this repository land by a pull request, and the clone is behind %s/%s", w.Config.Remote, branch)
	case r.Request.To == "":
		return nil, operr.NewUsage("`mage release -pr -to=patch` proposes the next one (or minor, major, auto, or a version)", "nothing has landed on %s that is not tagged, and none is unfinished", branch)
	}
	line := "mage release -pr -to=" + operr.Word(r.Request.To)
	if r.Request.Only != "" {
		line += " -only=" + operr.Word(r.Request.Only)
	}
	return nil, operr.NewUsage("`"+line+"` proposes it; once that is merged, `git pull` and `mage release` go on with it",
		`releases of this repository land by a pull request ([tool.release] land = "pull-request"), and what -to=%s asks for has not landed on %s`, r.Request.To, branch)
}

// Landed are the tags of versions that are on the remote's branch, and that are not tagged: what a run without a version goes on with, where no release is
// unfinished. None where that cannot be told from here. Nothing is fetched.
func (r *Release) Landed(ctx context.Context) (tags []string, branch string) {
	w, err := workspace.Load(r.Root)
	if err != nil {
		return nil, ""
	}
	refs, err := gitremote.Read(ctx, r.Repo, w.Config.Remote)
	if err != nil {
		return nil, ""
	}
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return nil, ""
	}
	branch, on := w.Config.ReleaseBranch(head.Branch, refs.Default)
	if !on {
		return nil, ""
	}
	landed, err := trace.FindLanded(ctx, r.Repo, r.Store, w, r.History, refs.Tags)
	if landed == nil || err != nil {
		return nil, ""
	}
	if out, err := r.Repo.Contains(ctx, refs.Branches[branch], landed.Commit); !out || err != nil {
		return nil, ""
	}
	return landed.TagNames(), branch
}

// draftLanded works out the plan.
func (r *Release) draftLanded(ctx context.Context, landed *trace.Landed, branch string, refs gitremote.Refs) (*plan.Plan, error) {
	w, err := r.Store.At(ctx, r.Repo, landed.Commit)
	if w == nil || err != nil {
		return nil, err
	}
	c, err := r.Channel(w)
	if err != nil {
		return nil, err
	}
	p, err := plan.Draft(ctx, r.Repo, w, landed.Bump, plan.Found{
		Base:       landed.Commit,
		Branch:     branch,
		There:      refs.Branches[branch],
		Channel:    c.URL(),
		Publish:    r.Publish,
		Repository: r.GitHub.Repository,
	})
	if p != nil {
		p.Landed = true
	}
	return p, err
}
