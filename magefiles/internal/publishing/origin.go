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

// origin is the commit that is checked out and built.
type origin struct {
	publish.Origin
	repo   *gitrepo.Repo
	builds *provenance.Store
	edited string // a source file with uncommitted edits; "" if there is none
}

// buildsName is the folder of the build records, in the clone's state folder.
const buildsName = "builds"

// origin returns the commit that the work tree is built from, or nil outside of git.
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
	if o.edited, err = findEdited(ctx, repo, w); err != nil || o.edited != "" {
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
		differs, err := repo.Differs(ctx, commit, head.Commit, append(sourcesOf(repo, w, p), w.Manifest.Path)...)
		return !differs, err
	}
	return o, nil
}

// sourcesOf returns the files and folders that a package's bytes depend on, including those above the workspace's root.
func sourcesOf(repo *gitrepo.Repo, w *workspace.Workspace, p *workspace.Package) []string {
	all, up := w.MadeOf(p), ""
	for range strings.FieldsFunc(repo.Prefix, func(r rune) bool { return r == '/' }) {
		up += "../"
		all = append(all, up+".gitattributes")
	}
	return all
}

// BuildsOf returns the build records of a clone.
func BuildsOf(repo *gitrepo.Repo) *provenance.Store {
	return &provenance.Store{Dir: filepath.Join(repo.Dir, folders.State, buildsName)}
}

// findEdited returns a source file of packages that is changed or not committed, or "" if there is none.
func findEdited(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (string, error) {
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

// RehearsalMark is a file in the state folder of a rehearsal's clone. It contains the address of the rehearsal's own server, the only one that the
// clone may publish to.
const RehearsalMark = "rehearsal"

// IsRehearsal reports whether the repository is the clone of a rehearsal.
func IsRehearsal(repo *gitrepo.Repo) bool {
	_, err := os.Stat(filepath.Join(repo.Dir, folders.State, RehearsalMark))
	return err == nil
}

// RefuseRehearsal returns an error if the repository is the clone of a rehearsal and server is not the rehearsal's own server.
func RefuseRehearsal(repo *gitrepo.Repo, server string) error {
	world, err := os.ReadFile(filepath.Join(repo.Dir, folders.State, RehearsalMark))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case string(world) == server:
		return nil
	}
	return operr.NewStopped("publish from your own clone", "this clone belongs to a rehearsal, so it may publish only to the server of the rehearsal, which is not %s", server)
}

// manifestsIn returns the package manifests, relative to the top of the work tree. They are checked individually: if an enclosing repository
// ignores the whole workspace, git reports no changes, although no file of the workspace is committed.
func manifestsIn(w *workspace.Workspace, prefix string) (paths []string) {
	for _, pkg := range w.Packages {
		paths = append(paths, path.Join(prefix, pkg.Manifest))
	}
	return paths
}

// belongs reports whether a file is a source of a package: it is in a source folder, or it is the manifest that packages inherit from. Git reports
// a submodule as a single file, which may be a package or contain packages.
func belongs(w *workspace.Workspace, file string) bool {
	return file == w.Manifest.Path || slices.ContainsFunc(w.Packages, func(pkg *workspace.Package) bool {
		return slices.ContainsFunc(pkg.Sources(), func(dir string) bool {
			return dir == "." || file == dir || strings.HasPrefix(file, dir+"/") || strings.HasPrefix(dir, file+"/")
		})
	})
}

// date returns the timestamp for artifacts: SOURCE_DATE_EPOCH, or the time of the commit. Outside of git, and before the first commit, it is a
// fixed date.
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
	c.View.Say("there is no commit, and SOURCE_DATE_EPOCH is not set, so the built packages get the date 1980-01-01")
	return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
}
