// Package sources provides each build with exactly the files that it should see. It builds in a clone of the commit, with its history
// and the tags that the release creates, at a path that never changes. The clone contains no leftovers of earlier builds, and a build
// leaves nothing in the work tree.
//
//	sources.go   creates the clone for one build, and removes it afterwards
//	whole.go seen.go    check that the work tree is complete before a build, and determine the tags that builds see
//	spare.go     keeps clones for reuse
//	lay.go       copies changes in the work tree to the clone
//	include.go   handles git-ignored files that builds need
//	outward.go   finds symlinks that point out of the clone
//	named.go     rejects references in manifests to files outside the clone
//	failed.go absent.go    explain a failed build: where it was, and which missing files are git-ignored
//	wait.go      ensures that only one build at a time uses a path
//	gone.go      removes the build folders of deleted workspaces
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

// Sources implements toolchain.Sources. It is created by WorkTree or Commit.
type Sources struct {
	Runner    command.Runner
	Workspace *workspace.Workspace
	Cache     string // folder for the clones, one for each workspace and package

	// Tell prints a message about a build for the user; may be nil.
	Tell func(format string, args ...any)

	// Waiting is called while another build must finish first; may be nil.
	Waiting func(pause.Progress)

	commit *commit // nil means HEAD with the changes and new files in the work tree
	beyond *beyond
}

// beyond records build inputs that were not in the commit or came from another one.
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

// Beyond describes the inputs of the builds so far that are not in a commit: changed files, new files, git-ignored files in [tool.release]
// include, and files reached through symlinks. It returns nothing if all inputs are from the given commit.
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

// commit is the commit to build instead of the work tree.
type commit struct {
	repo *gitrepo.Repo
	hash string
	tags func(packages ...*workspace.Package) []gitrepo.Tag
}

// WorkTree returns the sources at HEAD with the changes and new files in the work tree. Outside git, and before the first commit, these are all
// files of the workspace.
func (s Sources) WorkTree() *Sources {
	s.commit, s.beyond = nil, &beyond{heads: map[string]bool{}}
	return &s
}

// Commit returns the sources at a commit in the workspace's repository. If `tags` is not nil, a build of packages sees exactly the tags that `tags`
// returns, on that commit.
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
	if err := b.refuseOutside(); err != nil {
		return "", nil, err
	}
	unlock, err := s.wait(ctx, b.place)
	if err != nil {
		return "", nil, err
	}
	b.noteWorkspace()
	b.beyond.at(b.head)
	if err := b.make(ctx); err != nil {
		_ = removeAll(b.copies()) // if this fails, the next build reports the error
		unlock()
		return "", nil, err
	}
	return b.root, func(archives []string, err error) error {
		defer unlock()
		if err != nil {
			return b.explain(ctx, err) // the failed build's sources are kept until the next build, for inspection
		}
		if err := errors.Join(b.checkIncluded(ctx, archives), b.refusePackedOutside(archives)); err != nil {
			return err
		}
		return b.putAway()
	}, nil
}

// build holds the sources of one build.
type build struct {
	*Sources
	packages []*workspace.Package
	repo     *gitrepo.Repo // nil outside of git
	head     string        // "" outside of git, and before the first commit
	top      string        // folder to clone or copy
	prefix   string        // path from top to the workspace, with slashes
	place    string        // folder for builds of these packages; always the same on this machine
	clone    string        // copy of top, in place
	root     string        // copy of the workspace, in place
	ours     string        // path from top to the folder of all build folders, with slashes; "" if that folder is elsewhere
	leadsOut []outward     // links in the clone
}

// begin determines what to clone.
func (s *Sources) begin(ctx context.Context, packages []*workspace.Package) (*build, error) {
	b := &build{Sources: s, packages: packages, top: s.Workspace.Root}
	var err error
	if s.commit != nil {
		b.repo, b.head = s.commit.repo, s.commit.hash
	} else if b.repo, b.head, err = s.findCheckout(ctx); err != nil {
		return nil, err
	}
	if b.repo != nil {
		if b.top, b.prefix, err = s.findTop(b.repo); err != nil {
			return nil, err
		}
	}
	if b.place, err = s.placeOf(packages); err != nil {
		return nil, err
	}
	b.clone = filepath.Join(b.copies(), filepath.Base(b.top)) // keep the folder name, because a package without a name is named after its folder
	b.root = filepath.Join(b.clone, filepath.FromSlash(b.prefix))
	return b, nil
}

// findCheckout returns the work tree's repository and its commit: nil outside git, and "" before the first commit.
func (s *Sources) findCheckout(ctx context.Context) (*gitrepo.Repo, string, error) {
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

// findTop returns the top of a repository and the path from there to the workspace. The repository may have been opened in a subfolder.
func (s *Sources) findTop(repo *gitrepo.Repo) (top, prefix string, err error) {
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

// placeOf returns the folder for builds of the given packages.
func (s *Sources) placeOf(packages []*workspace.Package) (string, error) {
	root, err := filepath.EvalSymlinks(s.Workspace.Root)
	if err != nil {
		return "", err
	}
	cache, err := filepath.Abs(s.Cache)
	if err != nil {
		return "", err
	}
	sum, of := sha256.Sum256([]byte(root)), ".all" // cannot be the name of a package
	if len(packages) == 1 {
		of = packages[0].Name
	}
	return filepath.Join(cache, filepath.Base(root)+"-"+hex.EncodeToString(sum[:6]), of), nil
}

// findOurs checks whether our cache is in the work tree, as in CI jobs, because it must never be copied to a clone.
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

// copies returns the folder that is created for a build and removed afterwards. The lock file next to it is kept.
func (b *build) copies() string { return filepath.Join(b.place, "sources") }

// make creates the sources, and checks their symlinks.
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
	return b.refuseNamedOutside()
}

// fill creates the clone.
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

// `empty` creates an empty folder for copies, and removes leftovers of a failed or killed build.
func (b *build) empty() error {
	if err := removeAll(b.copies()); err != nil {
		return err
	}
	return os.MkdirAll(b.copies(), 0o700)
}

// `refuseOutside` returns an error for sources outside the repository, because they would not be in the clone.
func (b *build) refuseOutside() error {
	for _, p := range b.packages {
		packed, _ := b.Workspace.Sources(p)
		for _, dir := range packed {
			if dir = path.Join(b.prefix, dir); dir == ".." || strings.HasPrefix(dir, "../") {
				return operr.New("move the sources into the repository, or add them as a submodule", "%s: the sources of %s are in %s, outside of %s, but a build sees only files that are committed in this repository",
					p.Pos, p.Name, dir, b.top)
			}
		}
	}
	return nil
}

// removeAll removes a folder and its contents, even if a build has made folders in it read-only.
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
		return operr.New("remove this folder", "%s was created for a build, but cannot be removed: %w", dir, err)
	}
	return nil
}

// `within` reports whether file is in one of the folders. All paths are relative to the same folder, with slashes.
func within(file string, folders ...string) bool {
	for _, dir := range folders {
		if cmp.Or(dir, ".") == "." || file == dir || strings.HasPrefix(file, dir+"/") {
			return true
		}
	}
	return false
}
