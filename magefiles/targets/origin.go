package targets

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// origin is the commit that is checked out, as what packages are built of.
type origin struct {
	publish.Origin
	repo   *gitrepo.Repo
	builds *provenance.Store
	edited string // a file that packages are made of and that is not as it was committed; "" where there is none
}

// buildsName is the folder, in the state of a clone, for the records of its builds.
const buildsName = "builds"

// originOf says what the work tree is built of; nil outside of git.
func (a *app) originOf(ctx context.Context, w *workspace.Workspace) (*origin, error) {
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, gitrepo.ErrOutside):
		return nil, nil
	case err != nil:
		return nil, err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	o := &origin{repo: repo, builds: buildsOf(repo)}
	if o.edited, err = edited(ctx, repo, w); err != nil || o.edited != "" {
		return o, err
	}
	o.Commit = head.Commit
	if o.Tree, err = repo.Tree(ctx, head.Commit); err != nil {
		return nil, err
	}
	o.Same = func(ctx context.Context, p *workspace.Package, commit string) (bool, error) {
		known, err := repo.Contains(ctx, commit, commit)
		if err != nil || !known {
			return false, err
		}
		differs, err := repo.Differs(ctx, commit, head.Commit, append(p.Sources(), w.Manifest.Path)...)
		return !differs, err
	}
	return o, nil
}

func buildsOf(repo *gitrepo.Repo) *provenance.Store {
	return &provenance.Store{Dir: filepath.Join(repo.Dir, stateName, buildsName)}
}

// edited is a file that packages are made of and that is not as it was committed, or is not committed; "" where there is none.
func edited(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (string, error) {
	changes, err := repo.Changes(ctx)
	if err != nil {
		return "", err
	}
	hidden, err := repo.Hidden(ctx)
	if err != nil {
		return "", err
	}
	unknown, err := repo.Untracked(ctx, manifestsIn(w, repo.Prefix))
	if err != nil {
		return "", err
	}
	for _, changed := range slices.Concat(changes, hidden, unknown) {
		file, inside := strings.CutPrefix("/"+changed, strings.TrimSuffix("/"+repo.Prefix, "/")+"/")
		if inside && belongs(w, file) {
			return changed, nil
		}
	}
	return "", nil
}
