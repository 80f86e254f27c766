package release

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ofPlatforms wants every package to be noarch. A release whose tag is out is seen to its end as it was begun.
func (r *Release) ofPlatforms(ctx context.Context, a *asked) []*operr.Error {
	if a.w == nil || r.isOut(ctx, a) {
		return nil
	}
	return notNoarch(a.w)
}

// isOut says whether a release that goes on has its tags on the remote.
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
	found = append(finding(AllManifests(ctx, r.Repo), ""), finding(NothingPlanted(ctx, r.Repo), "")...)
	if a.drafted {
		troubles, err := r.Store.Troubles(ctx, r.plan.Bump, r.Repo, bump.Steps{Commit: true})
		if err != nil {
			return append(found, finding(err, "")...)
		}
		found = append(found, troubles...)
	}
	packed, named := a.w.Sources(a.w.Packages...)
	lacks, err := r.Repo.Lacking(ctx, packed, named)
	if err != nil {
		return append(found, finding(err, "")...)
	}
	for _, l := range lacks {
		switch {
		case l.Kind == gitrepo.Stored:
			found = append(found, operr.New(l.Next, "%s, and a package would have it so", l))
		case l.Kind == gitrepo.Differs && !l.Submodule: // the plan is made of what lies there
			found = append(found, operr.New(l.Next, "%s, and what is released is what is committed", l))
		}
	}
	for _, l := range r.Repo.Unobtainable(ctx, lacks) {
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

// AllManifests refuses a work tree of which a sparse checkout leaves out manifests: their packages would be passed over.
func AllManifests(ctx context.Context, repo *gitrepo.Repo) error {
	hidden, err := repo.LeftOut(ctx, workspace.ManifestNames()...)
	if err != nil || len(hidden) == 0 {
		return err
	}
	return operr.New("`git sparse-checkout disable`, or work in another clone; in a workflow, no `sparse-checkout` for actions/checkout",
		"a sparse checkout leaves out %s, and every manifest has to be there", Some(hidden))
}

// AllThere refuses a work tree that lacks manifests, or files of packages, or where they are not what is committed.
func AllThere(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) error {
	if err := AllManifests(ctx, repo); err != nil {
		return err
	}
	packed, named := w.Sources(w.Packages...)
	lacks, err := repo.Lacking(ctx, packed, named)
	if err != nil {
		return err
	}
	return gitrepo.Refuse(lacks)
}

// recordings are files beside the artifacts that say of them what they are.
var recordings = []string{RecordingFile, publish.DigestsJSON, publish.DigestsText, publish.SentJSON}

// NothingPlanted refuses artifacts, and what publish records, that are committed to the folder of artifacts: whoever may change the
// repository could have them published in place of what is built. Other files there are the person's.
func NothingPlanted(ctx context.Context, repo *gitrepo.Repo) error {
	known, err := repo.Tracked(ctx, workspace.OutputDir)
	if err != nil {
		return err
	}
	for _, file := range known {
		if name := path.Base(file); strings.HasSuffix(name, ".conda") || slices.Contains(recordings, name) {
			return operr.New("`git rm --cached "+file+"` and commit that", "%s is committed, and would pass for what was built here", file)
		}
	}
	return nil
}

// Complete fetches what a clone of a repository lacks of the packages of the workspace in it, such as submodules that only
// their own address has, and refuses packages that would be built without it.
func Complete(ctx context.Context, repo, clone *gitrepo.Repo, w *workspace.Workspace) error {
	packed, named := w.Sources(w.Packages...)
	lacks, err := repo.Complete(ctx, clone, packed, named)
	if err != nil {
		return err
	}
	return gitrepo.Refuse(lacks)
}
