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

// lay lays the work tree over a clone, and lets git see the changes of the person alone, and not those of the build.
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

// isBeside says of a new file that it is in no package, and named by none: a note, or a cache that the jobs of a CI have in the work tree.
func (b *build) isBeside(name string) bool {
	return !slices.ContainsFunc(b.Workspace.Packages, func(p *workspace.Package) bool {
		return slices.ContainsFunc(b.Workspace.MadeOf(p), func(file string) bool { return within(name, path.Join(b.prefix, file)) })
	})
}

// copyAll copies what has no commit, but for what its .gitignore names.
func (b *build) copyAll(ctx context.Context) error {
	include, err := b.include()
	if err != nil {
		return err
	}
	return overlay.Copy(ctx, b.Runner, b.top, b.clone, include, b.stays)
}

// stays says of a file that git does not know, relative to the top, that it is not laid over: it is of a tool, was built, or is in our own folder.
func (b *build) stays(name string) bool {
	parts := strings.Split(name, "/")
	if b.ours != "" && within(name, b.ours) {
		return true
	}
	return within(name, path.Join(b.prefix, workspace.OutputDir)) || slices.ContainsFunc(parts, ofTools) || b.leftByBuild(parts)
}

// ofTools says of a name that a tool makes files or folders of that name, wherever it is at work.
func ofTools(name string) bool {
	return name == manifest.PixiDir || name == "__pycache__" || name == ".eggs" || strings.HasSuffix(name, ".egg-info")
}

// builtInto are the folders in the one that setuptools builds in. It packs what it finds there, be it deleted or not.
var builtInto = regexp.MustCompile(`^(lib($|\.)|temp\.|bdist\.|scripts-|__editable__)`)

// leftByBuild reports whether a path is in such a folder: in build/ of a project, or wherever else there is one beside bdist.*, which
// setuptools makes with it.
func (b *build) leftByBuild(parts []string) bool {
	for i := 1; i < len(parts); i++ {
		if !builtInto.MatchString(parts[i]) {
			continue
		}
		in := filepath.Join(b.top, filepath.Join(parts[:i]...))
		if parts[i-1] == "build" && isProject(filepath.Dir(in)) {
			return true
		}
		if beside, _ := filepath.Glob(filepath.Join(escaped(in), "bdist.*")); beside != nil {
			return true
		}
	}
	return false
}

// isProject reports whether a folder is one of a Python project.
func isProject(dir string) bool {
	return slices.ContainsFunc(append([]string{manifest.PyprojectFile}, setups...), func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}

var special = regexp.MustCompile(`[*?\[\\]`)

// escaped is a path as a pattern that matches it alone.
func escaped(file string) string { return special.ReplaceAllString(file, `\$0`) }
