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

// TagsSeen returns a function that lists the tags that a build should see on the workspace's commit. These are the tags of the versions in the
// manifests. A zero date means now.
func TagsSeen(w *workspace.Workspace, date time.Time) func(packages ...*workspace.Package) []gitrepo.Tag {
	return func(packages ...*workspace.Package) (tags []gitrepo.Tag) {
		for _, t := range bump.TagsOf(w, packages...) {
			tags = append(tags, gitrepo.Tag{Name: t.Name, Message: t.Message, Date: date})
		}
		return tags
	}
}

// CheckManifests returns an error if a sparse checkout omits manifests, because their packages would be missed.
func CheckManifests(ctx context.Context, repo *gitrepo.Repo) error {
	hidden, err := lacking.LeftOut(ctx, repo, workspace.ManifestNames()...)
	if err != nil || len(hidden) == 0 {
		return err
	}
	return operr.New("run `git sparse-checkout disable`, or work in another clone; in a workflow, remove `sparse-checkout` from actions/checkout",
		"the sparse checkout leaves out %s, but every manifest must exist", operr.Abbreviate(hidden))
}

// CheckPresent returns an error if manifests or package files are missing from the work tree or differ from the commit.
func CheckPresent(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) error {
	if err := CheckManifests(ctx, repo); err != nil {
		return err
	}
	packed, named := w.Sources(w.Packages...)
	lacks, err := lacking.Find(ctx, repo, packed, named)
	if err != nil {
		return err
	}
	return lacking.Refuse(lacks)
}
