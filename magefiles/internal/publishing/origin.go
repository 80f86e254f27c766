package publishing

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
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

// origin says what the work tree is built of; nil outside of git.
func (c Config) origin(ctx context.Context) (*origin, error) {
	w := c.Workspace
	repo, err := gitrepo.Open(ctx, c.Runner, w.Root)
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
	o := &origin{repo: repo, builds: BuildsOf(repo)}
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

// BuildsOf are the records of what was built in a clone.
func BuildsOf(repo *gitrepo.Repo) *provenance.Store {
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

// RehearsalMark is the file, in the state of a clone, that says which server a rehearsal's clone may publish to: the one of its own world.
const RehearsalMark = "rehearsal"

// NotRehearsed refuses to publish from the clone of a rehearsal to another server than that of its world.
func NotRehearsed(repo *gitrepo.Repo, server string) error {
	world, err := os.ReadFile(filepath.Join(repo.Dir, folders.State, RehearsalMark))
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

// manifestsIn are the manifests of packages, relative to the top of the work tree: where a repository further up ignores all
// of a workspace, nothing of it is changed, and nothing of it is committed.
func manifestsIn(w *workspace.Workspace, prefix string) (paths []string) {
	for _, pkg := range w.Packages {
		paths = append(paths, path.Join(prefix, pkg.Manifest))
	}
	return paths
}

// belongs reports whether a file is of what packages are made of: their folders, and the manifest that they inherit from. A
// submodule is one file to git: it may be a package, or hold some.
func belongs(w *workspace.Workspace, file string) bool {
	return file == w.Manifest.Path || slices.ContainsFunc(w.Packages, func(pkg *workspace.Package) bool {
		return slices.ContainsFunc(pkg.Sources(), func(dir string) bool {
			return dir == "." || file == dir || strings.HasPrefix(file, dir+"/") || strings.HasPrefix(dir, file+"/")
		})
	})
}

// date is the time that artifacts bear: SOURCE_DATE_EPOCH, or that of the commit. Outside git, and before the first
// commit, it is fixed.
func (c Config) date(ctx context.Context) (time.Time, error) {
	if t, err := c.Epoch(); err != nil || !t.IsZero() {
		return t, err
	}
	var head gitrepo.Head
	repo, err := gitrepo.Open(ctx, c.Runner, c.Workspace.Root)
	if err == nil {
		head, err = repo.Head(ctx)
	}
	switch {
	case err == nil:
		return head.Time, nil
	case ctx.Err() != nil:
		return time.Time{}, context.Cause(ctx)
	case !errors.Is(err, gitrepo.ErrOutside) && !errors.Is(err, gitrepo.ErrNoCommit):
		return time.Time{}, err
	}
	c.View.Say("no commit and no SOURCE_DATE_EPOCH: artifacts bear the date 1980-01-01")
	return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
}
