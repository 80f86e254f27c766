package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/overlay"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// include is what the work tree has, relative to the top, of the files that the workspace says builds need. One of the packages
// has to be there.
func (b *build) include() (there []string, err error) {
	for _, file := range b.Workspace.Config.Include {
		_, err := os.Lstat(filepath.Join(b.Workspace.Root, filepath.FromSlash(file)))
		of := b.needs(file)
		switch {
		case err == nil:
			there = append(there, path.Join(b.prefix, file))
		case of != nil && errors.Is(err, fs.ErrNotExist):
			return nil, operr.New("run what makes it, or take it out of the list", "%s cannot be built: [tool.release] include names %s, which is not there", of.Name, file)
		}
	}
	return there, nil
}

// needs is the package of this build that needs a file; nil for none. One that is in no package is of all of them.
func (b *build) needs(file string) *workspace.Package {
	of := func(p *workspace.Package) bool {
		packed, _ := b.Workspace.Sources(p)
		return within(file, packed...)
	}
	if i := slices.IndexFunc(b.packages, of); i >= 0 {
		return b.packages[i]
	}
	if len(b.packages) > 0 && !slices.ContainsFunc(b.Workspace.Packages, of) {
		return b.packages[0]
	}
	return nil
}

// included refuses a package of a commit that lacks a file which the workspace says it needs, unless the build has made it. What
// a build made is found where it was built, or in what it packed.
func (b *build) included(ctx context.Context, archives []string) error {
	if b.commit == nil {
		return nil
	}
	for _, file := range b.Workspace.Config.Include {
		of := b.needs(file)
		if of == nil {
			continue
		}
		made, err := b.isMade(ctx, file, archives)
		if err != nil {
			return err
		}
		if !made {
			return operr.New("commit it; or have the build make it, by its backend or a hook of that",
				"%s is built without %s: [tool.release] include names it, it is not committed, and the build does not make it", of.Name, file)
		}
	}
	return nil
}

// isMade reports whether a file is committed, or was made by the build. In a folder it has to have made something: what is
// committed there was there before.
func (b *build) isMade(ctx context.Context, file string, archives []string) (bool, error) {
	st, err := os.Lstat(filepath.Join(b.root, filepath.FromSlash(file)))
	if err == nil && !st.IsDir() {
		return true, nil
	}
	var known []string
	if err == nil {
		there, err := gitrepo.Open(ctx, b.Runner, b.root)
		if err != nil {
			return false, err
		}
		made, committed, err := overlay.Below(ctx, there, file)
		if err != nil || len(made) > 0 {
			return err == nil, err
		}
		known = committed
	}
	return isPacked(archives, file, known)
}

// isPacked reports whether an archive has a file, or one in it where it is a folder, beyond those known, in a folder of the same name or
// as a module of its own.
func isPacked(archives []string, file string, known []string) (bool, error) {
	return anyFile(archives, func(f string) bool {
		return slices.ContainsFunc([]string{path.Base(path.Dir(file)), "site-packages"}, func(parent string) bool {
			_, below, ok := strings.Cut("/"+f+"/", "/"+parent+"/"+path.Base(file)+"/")
			return ok && !slices.Contains(known, path.Join(file, below))
		})
	})
}

// anyFile reports whether one of the files of archives is of a kind.
func anyFile(archives []string, is func(file string) bool) (bool, error) {
	for _, archive := range archives {
		a, err := condapkg.Open(archive)
		if err != nil {
			return false, err
		}
		files, err := a.Files()
		if err = errors.Join(err, a.Close()); err != nil || slices.ContainsFunc(files, is) {
			return err == nil, err
		}
	}
	return false, nil
}
