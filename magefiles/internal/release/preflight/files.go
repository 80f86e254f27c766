package preflight

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
)

// findPlatforms wants every package to be noarch. A release whose tag is out is seen to its end as it was begun.
func findPlatforms(ctx context.Context, a *asked) []*operr.Error {
	if a.wErr != nil || isOut(ctx, a) {
		return nil
	}
	return findNotNoarch(a.w)
}

// isOut reports whether a release that goes on has its tags on the remote.
func isOut(ctx context.Context, a *asked) bool {
	if a.aim != begun || a.refsErr != nil {
		return false
	}
	pushed, _ := a.trace.Pushed(ctx, a.refs)
	return pushed != ""
}

// findFiles finds what the commit would lack in packages, as far as the work tree shows it: files of which there is only what
// git stores in their place, submodules that cannot be fetched, and manifests that a sparse checkout leaves out. It also asks
// what would keep the commit and its tags from being made.
func findFiles(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil || isOut(ctx, a) {
		return nil
	}
	found = append(toFinding(sources.AllManifests(ctx, a.trace.Repo), ""), toFinding(publish.NothingPlanted(ctx, a.trace.Repo), "")...)
	if a.aim == drafted {
		troubles, err := a.trace.Store.Troubles(ctx, a.plan.Bump, a.trace.Repo, bump.Parts{Commit: true})
		if err != nil {
			return append(found, toFinding(err, "")...)
		}
		found = append(found, troubles...)
	}
	packed, named := a.w.Sources(a.w.Packages...)
	lacks, err := lacking.Find(ctx, a.trace.Repo, packed, named)
	if err != nil {
		return append(found, toFinding(err, "")...)
	}
	for _, l := range lacks {
		switch {
		case l.Kind == lacking.Stored:
			found = append(found, operr.New(l.Next, "%s, and a package would have it so", l))
		case l.Kind == lacking.Differs && !l.Submodule: // the plan is made of what lies there
			found = append(found, operr.New(l.Next, "%s, and what is released is what is committed", l))
		}
	}
	for _, l := range gitclone.Unobtainable(ctx, a.trace.Repo, lacks) {
		found = append(found, operr.New(l.Next, "%s, and cannot be fetched", l).WithDetail(l.Detail))
	}
	return found
}

// findClashes finds tags of the remote that are in the way of this release's. Those of the clone are asked for with the files.
func findClashes(a *asked) (found []*operr.Error) {
	there := slices.DeleteFunc(slices.Sorted(maps.Keys(a.refs.Tags)), func(t string) bool {
		_, here := a.tags[t]
		return slices.Contains(a.plan.Tags, t) || here && a.aim == drafted
	})
	for _, clash := range gitrepo.TagClashes(a.plan.Tags, there) {
		found = append(found, operr.New("", "on %s, %w", a.plan.Remote, clash))
	}
	return found
}
