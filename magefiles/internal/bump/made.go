package bump

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Past provides past commits of a git repository.
type Past interface {
	// ExportSome writes the wanted files of a commit to dir. `want` gets paths relative to the top of the work tree.
	ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error
	// LineOrigin returns the commit that introduced a line of a file, following first parents.
	LineOrigin(ctx context.Context, commit, path string, line int) (string, error)
	// Parent returns the first parent of a commit, or "" if it has none.
	Parent(ctx context.Context, commit string) (string, error)
}

// Made describes the commit that set a package's current version.
type Made struct {
	Commit string // the commit that set the version in the manifest; "" if the version is in no manifest
	From   string // the previous version; "" if the commit was not a bump
}

// Bumped reports whether the commit bumped the package, which means that it raised the package's version, and that all versions and pins agree
// afterwards, as after a plan. The commit's message, author and other changes do not matter, because a hook may have added or formatted files, or a
// pull request may have been squashed.
func (m Made) Bumped() bool { return m.From != "" }

// Made finds the commit that set the version of a tag's package, starting at the given commit. The tag has the location of the version in the
// manifest. Commits that only changed the spelling of the version, or moved the file, are skipped.
func (s *Store) Made(ctx context.Context, repo Past, commit string, tag Tag) (Made, error) {
	for tag.Package != "" && tag.Line > 0 {
		origin, err := repo.LineOrigin(ctx, commit, path.Join(s.Prefix, tag.File), tag.Line)
		if err != nil {
			return Made{}, err
		}
		made := Made{Commit: origin}
		parent, err := repo.Parent(ctx, origin)
		if err != nil || parent == "" {
			return made, err
		}
		before, err := s.At(ctx, repo, parent)
		if before == nil || err != nil {
			return made, err
		}
		after, err := s.At(ctx, repo, origin)
		if after == nil || err != nil {
			return made, err
		}
		was, missing := before.Package(tag.Package)
		is, gone := after.Package(tag.Package)
		switch {
		case missing != nil || gone != nil:
			//lint:ignore nilerr a package that did not exist at that commit was not bumped
			return made, nil
		case version.Same(was.Version.Text, is.Version.Text):
			commit, tag = parent, TagOf(before, was)
		default:
			if isBump(ctx, was, is, after) {
				made.From = was.Version.Text
			}
			return made, nil
		}
	}
	return Made{}, nil
}

// At loads the workspace of a commit. It returns nil if there is none, or if it is invalid. Only manifests and modules are loaded, so the result
// cannot be used to check other files.
func (s *Store) At(ctx context.Context, repo Past, commit string) (*workspace.Workspace, error) {
	dir, remove, err := scratch.Make("", "bump-commit-")
	if err != nil {
		return nil, err
	}
	defer remove() // if that fails, the next run removes it
	if err := repo.ExportSome(ctx, commit, dir, describes); err != nil {
		return nil, err
	}
	// workspace.Load uses this folder as the top of the repository, and applies the ignore files below it.
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		return nil, err
	}
	root := filepath.Join(dir, filepath.FromSlash(s.Prefix))
	w, err := workspace.Load(root)
	if err != nil {
		return nil, nil // the manifest did not exist yet, or is invalid, so this is not one of our releases
	}
	if real, err := filepath.EvalSymlinks(root); err != nil || w.Root != real {
		return nil, err
	}
	return w, nil
}

// describes reports whether a file may describe a workspace: it may be a manifest, or contain a version.
func describes(file string) bool {
	name := strings.ToLower(path.Base(file))
	switch path.Ext(name) {
	case ".toml", ".py", ".yaml", ".yml":
		return true
	}
	return name == ".gitignore" || name == ".ignore" || strings.Contains(name, "version")
}

// isBump reports whether a package's version was raised, and all versions and pins agree afterwards.
func isBump(ctx context.Context, was, is *workspace.Package, after *workspace.Workspace) bool {
	old, err := version.Parse(was.Version.Text)
	if err != nil {
		return false
	}
	now, err := version.Parse(is.Version.Text)
	if err != nil || now.Compare(old) <= 0 {
		return false
	}
	if slices.ContainsFunc(after.Packages, func(p *workspace.Package) bool { return p.Version.Source == manifest.VersionTag }) {
		return true // no manifest has this package's version, so there is nothing to compare
	}
	request := Request{To: now.Canonical()}
	if after.Config.Versioning == settings.Independent {
		request.Only = is.Name
	}
	rest, err := New(ctx, after, request, nil)
	return err == nil && rest.Empty()
}
