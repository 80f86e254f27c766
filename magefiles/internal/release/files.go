package release

import (
	"context"
	"maps"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ofPlatforms wants every package to be noarch. A release whose tag is out is seen to its end as it was begun.
func (r *Release) ofPlatforms(ctx context.Context, a *asked) []*operr.Error {
	if a.w == nil || r.isOut(ctx, a) {
		return nil
	}
	return notNoarch(a.w)
}

// isOut reports whether a release that goes on has its tags on the remote.
func (r *Release) isOut(ctx context.Context, a *asked) bool {
	if r.plan == nil || a.drafted || a.refsErr != nil {
		return false
	}
	pushed, _ := r.pushed(ctx, a.refs)
	return pushed != ""
}

// ofFiles finds what the commit would lack in packages, as far as the work tree shows it: files of which there is only what
// git stores in their place, submodules that cannot be fetched, and manifests that a sparse checkout leaves out. It also asks
// what would keep the commit and its tags from being made.
func (r *Release) ofFiles(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.w == nil || r.isOut(ctx, a) {
		return nil
	}
	found = append(finding(sources.AllManifests(ctx, r.Repo), ""), finding(publish.NothingPlanted(ctx, r.Repo), "")...)
	if a.drafted {
		troubles, err := r.Store.Troubles(ctx, r.plan.Bump, r.Repo, bump.Parts{Commit: true})
		if err != nil {
			return append(found, finding(err, "")...)
		}
		found = append(found, troubles...)
	}
	packed, named := a.w.Sources(a.w.Packages...)
	lacks, err := lacking.Find(ctx, r.Repo, packed, named)
	if err != nil {
		return append(found, finding(err, "")...)
	}
	for _, l := range lacks {
		switch {
		case l.Kind == lacking.Stored:
			found = append(found, operr.New(l.Next, "%s, and a package would have it so", l))
		case l.Kind == lacking.Differs && !l.Submodule: // the plan is made of what lies there
			found = append(found, operr.New(l.Next, "%s, and what is released is what is committed", l))
		}
	}
	for _, l := range gitclone.Unobtainable(ctx, r.Repo, lacks) {
		found = append(found, operr.New(l.Next, "%s, and cannot be fetched", l).WithDetail(l.Detail))
	}
	return found
}

// ofClashes finds tags of the remote that are in the way of this release's. Those of the clone are asked for with the files.
func (r *Release) ofClashes(a *asked) (found []*operr.Error) {
	there := slices.DeleteFunc(slices.Sorted(maps.Keys(a.refs.Tags)), func(t string) bool {
		_, here := a.tags[t]
		return slices.Contains(r.plan.Tags, t) || here && a.drafted
	})
	for _, clash := range gitrepo.TagClashes(r.plan.Tags, there) {
		found = append(found, operr.New("", "on %s, %w", r.plan.Remote, clash))
	}
	return found
}

// Complete fetches what a clone of a repository lacks of the packages of the workspace in it, such as submodules that only
// their own address has, and refuses packages that would be built without it.
func Complete(ctx context.Context, repo, clone *gitrepo.Repo, w *workspace.Workspace) error {
	packed, named := w.Sources(w.Packages...)
	lacks, err := gitclone.Complete(ctx, repo, clone, packed, named)
	if err != nil {
		return err
	}
	return lacking.Refuse(lacks)
}
