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

// findPlatforms reports packages that are not noarch. It skips a release whose tag is already pushed, so that the release can be completed.
func findPlatforms(ctx context.Context, a *asked) []*operr.Error {
	if a.wErr != nil || isOut(ctx, a) {
		return nil
	}
	return findNotNoarch(a.w)
}

// isOut reports whether the tags of a continued release are on the remote.
func isOut(ctx context.Context, a *asked) bool {
	if a.aim != begun || a.refsErr != nil {
		return false
	}
	pushed, _ := a.trace.FindPushed(ctx, a.refs)
	return pushed != ""
}

// findFiles reports package files that are missing from the work tree: placeholders that git stores instead of the content, submodules that cannot be
// fetched, and manifests outside of a sparse checkout. It also reports anything that would prevent the commit or the tags.
func findFiles(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil || isOut(ctx, a) {
		return nil
	}
	found = append(toFinding(sources.CheckManifests(ctx, a.trace.Repo), ""), toFinding(publish.RefusePlanted(ctx, a.trace.Repo), "")...)
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
			found = append(found, operr.New(l.Next, "%s, and a package would contain this file", l))
		case l.Kind == lacking.Differs && !l.Submodule: // the plan is computed from the work tree's files
			found = append(found, operr.New(l.Next, "%s, but only committed files are released", l))
		}
	}
	for _, l := range gitclone.Unobtainable(ctx, a.trace.Repo, lacks) {
		found = append(found, operr.New(l.Next, "%s, and cannot be fetched", l).WithDetail(l.Detail))
	}
	return found
}

// findClashes reports tags of the remote that conflict with this release's tags. findFiles checks the clone's tags.
func findClashes(a *asked) (found []*operr.Error) {
	there := slices.DeleteFunc(slices.Sorted(maps.Keys(a.refs.Tags)), func(t string) bool {
		_, here := a.tags[t]
		return slices.Contains(a.plan.Tags, t) || here && a.aim == drafted
	})
	for _, clash := range gitrepo.TagClashes(a.plan.Tags, there) {
		found = append(found, operr.New("", "on the remote %s, %w", a.plan.Remote, clash))
	}
	return found
}
