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

// findLanded plans the release of untagged versions that a pull request merged into the remote's branch; nil if there are none. It also returns nil
// if the request names a version, because the release then makes a new commit. If releases land by pull requests, there must be landed versions, and
// a requested version must be among them; otherwise findLanded returns an error.
func (r *Release) findLanded(ctx context.Context) (*plan.Plan, error) {
	w, err := workspace.Load(r.Root)
	if err != nil {
		//lint:ignore nilerr preflight reports this error
		return nil, nil
	}
	byPull := w.Config.Land == settings.LandByPull
	if r.Request.To != "" && !byPull {
		return nil, nil
	}
	refs, err := gitremote.Read(ctx, r.Repo, w.Config.Remote)
	if err != nil {
		//lint:ignore nilerr preflight reports this error
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
		return nil, operr.New("run `git pull`, and then this command again", "releases of this repository land by a pull request, but the clone is behind %s/%s", w.Config.Remote, branch)
	case r.Request.To == "":
		return nil, operr.NewUsage("run `mage release -pr -to=patch` (or minor, major, auto, or a version) to propose the next release", "every version that has landed on %s is tagged, and no release is unfinished", branch)
	}
	return nil, operr.NewUsage("run `mage release -pr "+r.Request.Flags()+"` to propose this release; after the pull request is merged, run `git pull` and `mage release`",
		`releases of this repository land by a pull request ([tool.release] land = "pull-request"), but the version of -to=%s has not landed on %s`, r.Request.To, branch)
}

// Landed returns the tags of untagged versions on the remote's branch. If no release is unfinished, a run without a requested version releases them.
// Landed returns none if it cannot tell. It does not fetch.
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

// draftLanded computes the plan of a landed release.
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
