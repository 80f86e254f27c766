// Package sources gives a build the files that it is to see, and nothing else: a clone of the commit, with its history and the
// tags that a release makes, at a path that stays the same. What an earlier build left is not there, and what a build leaves is
// not in the work tree.
//
//	sources.go   the clone, made for one build and removed after it
//	whole.go seen.go    what of the work tree has to be there before anything is built, and which tags builds see
//	spare.go     a copy that is used again
//	lay.go       what of the work tree is laid over the commit
//	include.go   files that builds need though git ignores them
//	outward.go   what links bring from outside of the clone
//	named.go     files that manifests name, which are not read outside of it
//	failed.go absent.go    what a build that failed lacks because git ignores it, and where it was
//	wait.go      one build at a time at a path
//	gone.go      the places of workspaces that are gone
package sources

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Sources implements toolchain.Sources: WorkTree and Commit make one.
type Sources struct {
	Runner    command.Runner
	Workspace *workspace.Workspace
	Cache     string // folder that the clones are made in, one for each workspace and package

	// Tell says what a person should know of a build; nil says nothing.
	Tell func(format string, args ...any)

	// Waiting is told of another build that has to be waited for; nil is told nothing.
	Waiting func(pause.Progress)

	commit *commit // nil is HEAD with the changes and new files of the work tree
	beyond *beyond
}

// beyond is what builds had that is not of a commit, or is of another one.
type beyond struct {
	mu    sync.Mutex
	names []string
	heads map[string]bool
}

func (b *beyond) add(names ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.names = append(b.names, names...)
}

func (b *beyond) at(head string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heads[head] = true
}

// Beyond says what the builds so far had beyond a commit: files that were changed, new ones, those that git ignores and the workspace
// includes, and what links brought. None where all that they had is of the commit.
func (s *Sources) Beyond(commit string) []string {
	s.beyond.mu.Lock()
	defer s.beyond.mu.Unlock()
	all := slices.Clone(s.beyond.names)
	for head := range s.beyond.heads {
		if head != commit {
			all = append(all, cmp.Or(head, "files without a commit"))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// commit is what is built where it is not the work tree.
type commit struct {
	repo *gitrepo.Repo
	hash string
	tags func(packages ...*workspace.Package) []gitrepo.Tag
}

// WorkTree is the commit that is checked out, with the changes and new files of the work tree. Outside of git, and before the first
// commit, the files of the workspace are all there is.
func (s Sources) WorkTree() *Sources {
	s.commit, s.beyond = nil, &beyond{heads: map[string]bool{}}
	return &s
}

// Commit is a commit of the repository that the workspace is in. tags, where it is not nil, says which tags a build of
// packages is to see on the commit, and no others.
func (s Sources) Commit(repo *gitrepo.Repo, hash string, tags func(packages ...*workspace.Package) []gitrepo.Tag) *Sources {
	s.commit, s.beyond = &commit{repo: repo, hash: hash, tags: tags}, &beyond{heads: map[string]bool{}}
	return &s
}

// Take implements toolchain.Sources.
func (s *Sources) Take(ctx context.Context, packages ...*workspace.Package) (root string, done func(archives []string, err error) error, err error) {
	b, err := s.begin(ctx, packages)
	if err != nil {
		return "", nil, err
	}
	if err := b.inside(); err != nil {
		return "", nil, err
	}
	unlock, err := s.wait(ctx, b.place)
	if err != nil {
		return "", nil, err
	}
	b.noteWorkspace()
	b.beyond.at(b.head)
	if err := b.make(ctx); err != nil {
		_ = removeAll(b.copies()) // the next build says so
		unlock()
		return "", nil, err
	}
	return b.root, func(archives []string, err error) error {
		defer unlock()
		if err != nil {
			return b.explain(ctx, err) // what it was built from may be looked at until the next build
		}
		if err := errors.Join(b.included(ctx, archives), b.fromOutside(archives)); err != nil {
			return err
		}
		return b.putAway()
	}, nil
}

// build is the sources of one build.
type build struct {
	*Sources
	packages []*workspace.Package
	repo     *gitrepo.Repo // nil outside of git
	head     string        // "" outside of git, and before the first commit
	top      string        // folder that is cloned or copied
	prefix   string        // path from there to the workspace, with slashes
	place    string        // folder for builds of these packages: the same one every time, on this machine
	clone    string        // in it, of top
	root     string        // in it, of the workspace
	ours     string        // path from top to the folder of all places, with slashes; "" where that is elsewhere
	leadsOut []outward     // of the clone
}

// begin finds what there is to clone.
func (s *Sources) begin(ctx context.Context, packages []*workspace.Package) (*build, error) {
	b := &build{Sources: s, packages: packages, top: s.Workspace.Root}
	var err error
	if s.commit != nil {
		b.repo, b.head = s.commit.repo, s.commit.hash
	} else if b.repo, b.head, err = s.checkedOut(ctx); err != nil {
		return nil, err
	}
	if b.repo != nil {
		if b.top, b.prefix, err = s.placed(b.repo); err != nil {
			return nil, err
		}
	}
	if b.place, err = s.placeOf(packages); err != nil {
		return nil, err
	}
	b.clone = filepath.Join(b.copies(), filepath.Base(b.top)) // a name that is not given is the folder's
	b.root = filepath.Join(b.clone, filepath.FromSlash(b.prefix))
	return b, nil
}

// checkedOut is the repository of the work tree with its commit; nil outside of git, "" before the first commit.
func (s *Sources) checkedOut(ctx context.Context) (*gitrepo.Repo, string, error) {
	repo, err := gitrepo.Open(ctx, s.Runner, s.Workspace.Root)
	if errors.Is(err, gitrepo.ErrOutside) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	head, err := repo.Head(ctx)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return repo, "", nil
	}
	return repo, head.Commit, err
}

// placed is the top of a repository with the path from there to the workspace, whatever folder of it the repository was opened in.
func (s *Sources) placed(repo *gitrepo.Repo) (top, prefix string, err error) {
	root, err := filepath.EvalSymlinks(s.Workspace.Root)
	if err != nil {
		return "", "", err
	}
	top, err = filepath.EvalSymlinks(repo.Top)
	if err != nil {
		return "", "", err
	}
	prefix, err = filepath.Rel(top, root)
	if err != nil || prefix == "." {
		return repo.Top, "", err
	}
	return repo.Top, filepath.ToSlash(prefix), nil
}

// placeOf is the folder for builds of packages.
func (s *Sources) placeOf(packages []*workspace.Package) (string, error) {
	root, err := filepath.EvalSymlinks(s.Workspace.Root)
	if err != nil {
		return "", err
	}
	cache, err := filepath.Abs(s.Cache)
	if err != nil {
		return "", err
	}
	sum, of := sha256.Sum256([]byte(root)), ".all" // no package has such a name
	if len(packages) == 1 {
		of = packages[0].Name
	}
	return filepath.Join(cache, filepath.Base(root)+"-"+hex.EncodeToString(sum[:6]), of), nil
}

// findOurs finds where the cache is in the work tree, as jobs of a CI have it: what is there is never laid over.
func (b *build) findOurs() error {
	top, err := filepath.EvalSymlinks(b.top)
	if err != nil {
		return err
	}
	all, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(b.place)))
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(top, all); err == nil && filepath.IsLocal(rel) {
		b.ours = filepath.ToSlash(rel)
	}
	return nil
}

// copies is the folder that is made for a build, and removed. The lock beside it stays.
func (b *build) copies() string { return filepath.Join(b.place, "sources") }

// make makes the sources, and looks at where they lead.
func (b *build) make(ctx context.Context) error {
	if err := b.findOurs(); err != nil {
		return err
	}
	if err := b.fill(ctx); err != nil {
		return err
	}
	if err := b.findOutward(); err != nil {
		return err
	}
	return b.namedInside()
}

// fill makes the clone.
func (b *build) fill(ctx context.Context) error {
	if b.commit == nil && b.head != "" {
		if err := b.checkOut(ctx); err != nil {
			return err
		}
		return b.lay(ctx)
	}
	if err := b.empty(); err != nil {
		return err
	}
	if b.head == "" {
		return b.copyAll(ctx)
	}
	if err := gitclone.Borrow(ctx, b.repo, b.clone, b.head); err != nil {
		return err
	}
	there, err := gitrepo.Open(ctx, b.Runner, b.clone)
	if err != nil {
		return err
	}
	if b.commit.tags != nil {
		if err := gitclone.TagAlone(ctx, there, b.head, b.commit.tags(b.packages...)...); err != nil {
			return err
		}
	}
	return gitclone.Settle(ctx, there)
}

// empty makes the folder for copies, without what a build that failed, or was killed, has left there.
func (b *build) empty() error {
	if err := removeAll(b.copies()); err != nil {
		return err
	}
	return os.MkdirAll(b.copies(), 0o700)
}

// inside refuses sources that a clone has not.
func (b *build) inside() error {
	for _, p := range b.packages {
		packed, _ := b.Workspace.Sources(p)
		for _, dir := range packed {
			if dir = path.Join(b.prefix, dir); dir == ".." || strings.HasPrefix(dir, "../") {
				return operr.New("move them into the repository, or make them a submodule of it", "%s: the sources of %s are in %s, outside of %s: a build sees what is committed there, and no more",
					p.Pos, p.Name, dir, b.top)
			}
		}
	}
	return nil
}

// removeAll removes a folder with all that is in it, also where what was built has taken it from itself to write there.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			return os.Chmod(file, 0o700)
		}
		return err
	})
	if err := os.RemoveAll(dir); err != nil {
		return operr.New("remove it", "%s was made for a build, and cannot be removed: %w", dir, err)
	}
	return nil
}

// within reports whether a file is in one of the folders. All are relative to the workspace's root, with slashes.
func within(file string, folders ...string) bool {
	for _, dir := range folders {
		if cmp.Or(dir, ".") == "." || file == dir || strings.HasPrefix(file, dir+"/") {
			return true
		}
	}
	return false
}
