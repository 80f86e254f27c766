package targets

import (
	"context"
	"errors"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// mergedTags are the commits of the tags that the current branch has, by name: none outside of git, and before the first commit.
func (a *app) mergedTags(ctx context.Context, w *workspace.Workspace) (map[string]string, error) {
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	switch {
	case errors.Is(err, gitrepo.ErrOutside):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if _, err := repo.Resolve(ctx, "HEAD"); err != nil {
		return nil, context.Cause(ctx)
	}
	return repo.MergedTags(ctx)
}

// merged gives package bump the tags of a workspace.
type merged struct {
	*app
	w *workspace.Workspace
}

// MergedTags implements bump.Merged.
func (m merged) MergedTags(ctx context.Context) (map[string]string, error) {
	return m.mergedTags(ctx, m.w)
}

// versioned refuses packages in whose manifests pixi finds no version, each with the line to add.
func (a *app) versioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package) error {
	found := bump.Unversioned(ctx, w, packages, merged{app: a, w: w})
	return operr.Join(found, "see to each; nothing was built", "%d packages cannot be built", len(found))
}

// lastTags are the last tags of the packages whose version a tool makes from tags.
func (a *app) lastTags(ctx context.Context, w *workspace.Workspace) (last []bump.Release, err error) {
	if !slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool { return p.FromTags() != nil }) {
		return nil, nil
	}
	tags, err := a.mergedTags(ctx, w)
	for _, p := range w.Packages {
		if p.FromTags() == nil {
			continue
		}
		if r, ok := bump.LastTag(w, p, tags); ok {
			last = append(last, r)
		}
	}
	return last, err
}
