package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// madeHere are folders that tools and this project make: nothing is built from them.
var madeHere = []string{".pixi", "__pycache__", ".git"}

// lay lays the work tree over a clone.
func (s *Sources) lay(ctx context.Context, clone string, packages []*workspace.Package) error {
	include, err := s.include(packages)
	for i, file := range include {
		include[i] = path.Join(s.repo.Prefix, file)
	}
	if err != nil {
		return err
	}
	return s.repo.LayOver(ctx, clone, include, s.stays)
}

// copyAll copies a workspace that is not in git, but for what its .gitignore names.
func (s *Sources) copyAll(ctx context.Context, clone string, packages []*workspace.Package) error {
	include, err := s.include(packages)
	if err != nil {
		return err
	}
	return gitrepo.CopyFiles(ctx, s.Runner, s.Workspace.Root, clone, include, s.stays)
}

// include is what the work tree has of the files that the workspace says builds need. One of the packages has to be there.
func (s *Sources) include(packages []*workspace.Package) (there []string, err error) {
	for _, file := range s.Workspace.Config.Include {
		_, err := os.Lstat(filepath.Join(s.Workspace.Root, filepath.FromSlash(file)))
		if err == nil {
			there = append(there, file)
			continue
		}
		if p := ofFile(file, packages); p != nil && errors.Is(err, fs.ErrNotExist) {
			return nil, operr.New("run what makes it, or take it out of the list", "%s cannot be built: [tool.release] include names %s, which is not there", p.Name, file)
		}
	}
	return there, nil
}

// ofFile is the package that a file is of; nil for none.
func ofFile(file string, packages []*workspace.Package) *workspace.Package {
	for _, p := range packages {
		if within(file, p.Sources()...) {
			return p
		}
	}
	return nil
}

// stays says of a path, relative to the top, that it is not laid over: what was built, and what tools keep for themselves.
func (s *Sources) stays(name string) bool {
	if within(name, path.Join(s.prefix(), outputDir)) {
		return true
	}
	parts := strings.Split(name, "/")
	return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(madeHere, part) || strings.HasSuffix(part, ".egg-info") }) ||
		s.leftByBuild(parts)
}

// buildFolders are what setuptools keeps in the folder build of a project. It packs what it finds there, be it deleted or not.
var buildFolders = regexp.MustCompile(`^(lib|temp\.|bdist\.|scripts-)`)

// leftByBuild says whether a path is in such a folder.
func (s *Sources) leftByBuild(parts []string) bool {
	for i := range len(parts) - 1 {
		if parts[i] != "build" || !buildFolders.MatchString(parts[i+1]) {
			continue
		}
		project := path.Join(parts[:i]...)
		if project == s.prefix() || slices.ContainsFunc(s.Workspace.Packages, func(p *workspace.Package) bool {
			return path.Join(s.prefix(), p.Dir) == project || path.Join(s.prefix(), p.SourceDir) == project
		}) {
			return true
		}
	}
	return false
}

// outputDir is the folder of artifacts, below the workspace's root.
const outputDir = "output"
