package targets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
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
		differs, err := repo.Differs(ctx, commit, head.Commit, append(madeOf(repo, w, p), w.Manifest.Path)...)
		return !differs, err
	}
	return o, nil
}

// madeOf are the files and folders that say what the bytes of a package are, those above the workspace's root included.
func madeOf(repo *gitrepo.Repo, w *workspace.Workspace, p *workspace.Package) []string {
	all, up := w.MadeOf(p), ""
	for range strings.FieldsFunc(repo.Prefix, func(r rune) bool { return r == '/' }) {
		up += "../"
		all = append(all, up+".gitattributes")
	}
	return all
}

func buildsOf(repo *gitrepo.Repo) *provenance.Store {
	return &provenance.Store{Dir: filepath.Join(repo.Dir, folders.State, buildsName)}
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

// notRehearsed refuses to publish from the clone of a rehearsal to another server than that of its world.
func notRehearsed(repo *gitrepo.Repo, server string) error {
	world, err := os.ReadFile(filepath.Join(repo.Dir, folders.State, rehearsal.Mark))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case string(world) == server:
		return nil
	}
	return operr.NewStopped("publish from your own clone", "this is the clone of a rehearsal, whose commits and tags are in no other repository, and %s is not the server of its world", server)
}
