// Package sources gives a build the files that it is to see, and nothing else: a clone of the commit, with its history and the
// tags that a release makes, at a path that stays the same. What an earlier build left is not there, and what a build leaves is
// not in the work tree.
//
//	sources.go   the clone, made for one build and removed after it
//	lay.go       what of the work tree is laid over the commit
//	ignored.go   what a build lacks because git ignores it
//	wait.go      one build at a time at a path
package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Sources implements toolchain.Sources: WorkTree and Commit make one.
type Sources struct {
	Runner    command.Runner
	Workspace *workspace.Workspace
	Cache     string // folder that the clones are made in, one for each workspace and package

	// Tell says what has to be waited for; nil says nothing.
	Tell func(format string, args ...any)

	repo   *gitrepo.Repo
	commit string // "" is HEAD with the changes and new files of the work tree
	tags   func(packages ...*workspace.Package) []gitrepo.Tag
}

// WorkTree is the commit that is checked out, with the changes and new files of the work tree. Outside of git, and before the first
// commit, the files of the workspace are all there is.
func (s Sources) WorkTree() *Sources {
	s.repo, s.commit, s.tags = nil, "", nil
	return &s
}

// Commit is a commit of the repository that the workspace is in. tags, where it is not nil, says which tags a build of
// packages is to see on the commit, and no others.
func (s Sources) Commit(repo *gitrepo.Repo, commit string, tags func(packages ...*workspace.Package) []gitrepo.Tag) *Sources {
	s.repo, s.commit, s.tags = repo, commit, tags
	return &s
}

// open finds the repository of a work tree.
func (s Sources) open(ctx context.Context) (*Sources, error) {
	if s.commit != "" {
		return &s, nil
	}
	repo, err := gitrepo.Open(ctx, s.Runner, s.Workspace.Root)
	if err == nil {
		_, err = repo.Head(ctx)
	}
	switch {
	case err == nil:
		s.repo = repo
	case errors.Is(err, gitrepo.ErrOutside) || errors.Is(err, gitrepo.ErrNoCommit):
	default:
		return nil, err
	}
	return &s, nil
}

// Take implements toolchain.Sources.
func (s *Sources) Take(ctx context.Context, packages ...*workspace.Package) (root string, done func(archives []string, err error) error, err error) {
	if s, err = s.open(ctx); err != nil {
		return "", nil, err
	}
	if err := s.inside(packages); err != nil {
		return "", nil, err
	}
	at := s.place(packages)
	unlock, err := s.wait(ctx, at)
	if err != nil {
		return "", nil, err
	}
	clone := filepath.Join(at, filepath.Base(s.top()))
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(at))
			unlock()
		}
	}()
	if err := os.RemoveAll(at); err != nil { // of a build that failed, or was killed
		return "", nil, err
	}
	if err := s.fill(ctx, clone, packages); err != nil {
		return "", nil, err
	}
	root = filepath.Join(clone, filepath.FromSlash(s.prefix()))
	return root, func(archives []string, err error) error {
		defer unlock()
		if err == nil {
			err = s.included(root, archives, packages)
		} else {
			err = s.explain(ctx, root, packages, err)
		}
		if err != nil {
			return err // what it was built from may be looked at until the next build
		}
		return os.RemoveAll(at)
	}, nil
}

// fill makes the clone.
func (s *Sources) fill(ctx context.Context, clone string, packages []*workspace.Package) error {
	if err := os.MkdirAll(filepath.Dir(clone), 0o700); err != nil {
		return err
	}
	if s.repo == nil {
		return s.copyAll(ctx, clone, packages)
	}
	commit := s.commit
	if commit == "" {
		head, err := s.repo.Head(ctx)
		if err != nil {
			return err
		}
		commit = head.Commit
	}
	if err := s.repo.Borrow(ctx, clone, commit); err != nil {
		return err
	}
	if s.commit == "" {
		return s.lay(ctx, clone, packages)
	}
	there, err := gitrepo.Open(ctx, s.Runner, clone)
	if err != nil {
		return err
	}
	if s.tags != nil {
		if err := there.TagAlone(ctx, commit, s.tags(packages...)...); err != nil {
			return err
		}
	}
	return there.Settle(ctx)
}

// top is the folder that a clone is of.
func (s *Sources) top() string {
	if s.repo == nil {
		return s.Workspace.Root
	}
	return s.repo.Top
}

// prefix is the path from there to the workspace, with slashes.
func (s *Sources) prefix() string {
	if s.repo == nil {
		return ""
	}
	return s.repo.Prefix
}

// place is the folder for a build of the packages: the same one every time, on this machine.
func (s *Sources) place(packages []*workspace.Package) string {
	sum := sha256.Sum256([]byte(s.Workspace.Root))
	of := "all"
	if len(packages) == 1 {
		of = packages[0].Name
	}
	return filepath.Join(s.Cache, filepath.Base(s.Workspace.Root)+"-"+hex.EncodeToString(sum[:6]), of)
}

// inside refuses sources that a clone has not.
func (s *Sources) inside(packages []*workspace.Package) error {
	for _, p := range packages {
		packed, _ := s.Workspace.Sources(p)
		for _, dir := range packed {
			if dir = path.Join(s.prefix(), dir); dir == ".." || strings.HasPrefix(dir, "../") {
				return operr.New("move them into the repository, or make them a submodule of it", "%s: the sources of %s are in %s, outside of %s: a build sees what is committed there, and no more",
					p.Pos, p.Name, dir, s.top())
			}
		}
	}
	return nil
}

// included refuses a package of a commit that lacks a file which the workspace says it needs, unless the build has made it. What
// a build made is found where it was built, or in what it packed.
func (s *Sources) included(root string, archives []string, packages []*workspace.Package) error {
	if s.commit == "" {
		return nil
	}
	for _, file := range s.Workspace.Config.Include {
		of := ofFile(file, packages)
		if of == nil {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(file))); err == nil {
			continue
		}
		packed, err := isPacked(archives, file)
		if err != nil {
			return err
		}
		if !packed {
			return operr.New("commit it; or have the build make it, by its backend or a hook of that",
				"%s is built without %s: [tool.release] include names it, it is not committed, and the build does not make it", of.Name, file)
		}
	}
	return nil
}

// within says whether a file is in one of the folders. All are relative to the workspace's root, with slashes.
func within(file string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool { return dir == "." || file == dir || strings.HasPrefix(file, dir+"/") })
}
