package sources

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/overlay"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// lay copies the changes in the work tree to a clone, so that git reports only the user's changes, not those made by builds.
func (b *build) lay(ctx context.Context) error {
	include, err := b.include()
	if err != nil {
		return err
	}
	laid, fresh, err := overlay.Lay(ctx, b.repo, b.clone, include, b.stays)
	if err != nil {
		return err
	}
	b.beyond.add(laid...)
	b.beyond.add(slices.DeleteFunc(fresh, b.isBeside)...)
	there, err := gitrepo.Open(ctx, b.Runner, b.clone)
	if err != nil {
		return err
	}
	return gitclone.SettleRest(ctx, there)
}

// isBeside reports whether a new file neither belongs to a package nor is referred to by one, such as a note, or a cache that CI jobs keep in the
// work tree.
func (b *build) isBeside(name string) bool {
	return !slices.ContainsFunc(b.Workspace.Packages, func(p *workspace.Package) bool {
		return slices.ContainsFunc(b.Workspace.MadeOf(p), func(file string) bool { return within(name, path.Join(b.prefix, file)) })
	})
}

// copyAll copies the work tree of a repository without commits, except for git-ignored files.
func (b *build) copyAll(ctx context.Context) error {
	include, err := b.include()
	if err != nil {
		return err
	}
	return overlay.Copy(ctx, b.Runner, b.top, b.clone, include, b.stays)
}

// `stays` reports whether an untracked file, relative to the top, is left out because it belongs to a tool, is a build product, or is in our own
// folder.
func (b *build) stays(name string) bool {
	parts := strings.Split(name, "/")
	if b.ours != "" && within(name, b.ours) {
		return true
	}
	return within(name, path.Join(b.prefix, workspace.OutputDir)) || slices.ContainsFunc(parts, ofTools) || b.leftByBuild(parts)
}

// ofTools reports whether tools create files or folders with this name wherever they run.
func ofTools(name string) bool {
	return name == manifest.PixiDir || name == "__pycache__" || name == ".eggs" || strings.HasSuffix(name, ".egg-info")
}

// builtInto matches the folders that setuptools creates in its build folder. setuptools packs everything in them, including modules that have since
// been deleted.
var builtInto = regexp.MustCompile(`^(lib($|\.)|temp\.|bdist\.|scripts-|__editable__)`)

// leftByBuild reports whether a path is in a folder that builtInto matches, either in a project's build/ or in a folder that also has bdist.*, which
// setuptools creates alongside them.
func (b *build) leftByBuild(parts []string) bool {
	for i := 1; i < len(parts); i++ {
		if !builtInto.MatchString(parts[i]) {
			continue
		}
		in := filepath.Join(b.top, filepath.Join(parts[:i]...))
		if parts[i-1] == "build" && isProject(filepath.Dir(in)) {
			return true
		}
		if beside, _ := filepath.Glob(filepath.Join(escapePattern(in), "bdist.*")); beside != nil {
			return true
		}
	}
	return false
}

// isProject reports whether a folder contains a Python project.
func isProject(dir string) bool {
	return slices.ContainsFunc(append([]string{manifest.PyprojectFile}, setups...), func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}

var special = regexp.MustCompile(`[*?\[\\]`)

// escapePattern returns a pattern that matches exactly this path.
func escapePattern(file string) string { return special.ReplaceAllString(file, `\$0`) }
