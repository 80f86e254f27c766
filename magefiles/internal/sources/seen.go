package sources

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TagsSeen are the tags that builds of a workspace's packages see on its commit: those of the versions that the manifests have. The
// zero date is the present.
func TagsSeen(w *workspace.Workspace, date time.Time) func(packages ...*workspace.Package) []gitrepo.Tag {
	return func(packages ...*workspace.Package) (tags []gitrepo.Tag) {
		for _, t := range bump.TagsOf(w, packages...) {
			tags = append(tags, gitrepo.Tag{Name: t.Name, Message: t.Message, Date: date})
		}
		return tags
	}
}

// AllManifests refuses a work tree of which a sparse checkout leaves out manifests: their packages would be passed over.
func AllManifests(ctx context.Context, repo *gitrepo.Repo) error {
	hidden, err := lacking.LeftOut(ctx, repo, workspace.ManifestNames()...)
	if err != nil || len(hidden) == 0 {
		return err
	}
	return operr.New("`git sparse-checkout disable`, or work in another clone; in a workflow, no `sparse-checkout` for actions/checkout",
		"a sparse checkout leaves out %s, and every manifest has to be there", operr.Some(hidden))
}

// AllThere refuses a work tree that lacks manifests, or files of packages, or where they are not what is committed.
func AllThere(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) error {
	if err := AllManifests(ctx, repo); err != nil {
		return err
	}
	packed, named := w.Sources(w.Packages...)
	lacks, err := lacking.Find(ctx, repo, packed, named)
	if err != nil {
		return err
	}
	return lacking.Refuse(lacks)
}
