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

// Past is what is asked of a git repository to know what a commit has done.
type Past interface {
	// ExportSome writes those files of a commit that are wanted, by their path relative to the work tree's top, below dir.
	ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error
	// LineOrigin returns the commit that gave a line of a file, as a commit has it, its text, along first parents.
	LineOrigin(ctx context.Context, commit, path string, line int) (string, error)
	// Parent returns the first parent of a commit; "" where it has none.
	Parent(ctx context.Context, commit string) (string, error)
}

// Made is what brought a package to the version that it has at a commit.
type Made struct {
	Commit string // that gave the manifest its version; "" where the version stands in none
	From   string // the version before; "" where this commit was no bump
}

// Bumped reports whether the commit is that of a bump, by what it did: it took the package from a version to a higher one,
// and left everything in agreement, as a plan does. Whatever its message says, what else it brought along (a hook may have
// added files, or formatted them; a pull request may have been squashed into it), and who made it, does not matter.
func (m Made) Bumped() bool { return m.From != "" }

// Made finds out what brought the package of a tag to the version that it has at a commit, whose manifests say where that
// stands. Commits that gave the line another form, or the file another name, are passed by.
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
			//lint:ignore nilerr a package that was not there then was not bumped
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

// At is the workspace as a commit has it; nil where it has none that can be read. What depends on more than manifests and
// modules, such as a file that is not there, cannot be asked of it.
func (s *Store) At(ctx context.Context, repo Past, commit string) (*workspace.Workspace, error) {
	dir, remove, err := scratch.Make("", "bump-commit-")
	if err != nil {
		return nil, err
	}
	defer remove() // what stays, the next run removes
	if err := repo.ExportSome(ctx, commit, dir, describes); err != nil {
		return nil, err
	}
	// What workspace.Load takes for the top of the repository: ignore files count from there.
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		return nil, err
	}
	root := filepath.Join(dir, filepath.FromSlash(s.Prefix))
	w, err := workspace.Load(root)
	if err != nil {
		return nil, nil // it was not there yet, or not as it should be: no release of ours leaves it so
	}
	if real, err := filepath.EvalSymlinks(root); err != nil || w.Root != real {
		return nil, err
	}
	return w, nil
}

// describes reports whether a file may say what a workspace is: a manifest, or what a version may stand in.
func describes(file string) bool {
	name := strings.ToLower(path.Base(file))
	switch path.Ext(name) {
	case ".toml", ".py", ".yaml", ".yml":
		return true
	}
	return name == ".gitignore" || name == ".ignore" || strings.Contains(name, "version")
}

// isBump reports whether a package went to a higher version, with everything in agreement then.
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
		return true // where those are is not in the manifests
	}
	request := Request{To: now.Canonical()}
	if after.Config.Versioning == settings.Independent {
		request.Only = is.Name
	}
	rest, err := New(ctx, after, request, nil)
	return err == nil && rest.Empty()
}
