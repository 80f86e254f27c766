package gitclone

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Export writes the files below a folder of a commit to `dir`, which need not exist. `folder` is relative to Top, and the files keep their paths
// relative to Top. The contents are those that git would check out, but do not depend on the work tree, the index or the user's settings.
//
// Export reads only the commit. A submodule gets the files of its recorded commit; if that commit is missing, Export returns an error. The file
// modes are 644 and 755, regardless of the umask.
func Export(ctx context.Context, r *gitrepo.Repo, commit, folder, dir string) error {
	if err := exportAll(ctx, r, commit, folder, dir, ""); err != nil {
		return err
	}
	return plainModes(dir)
}

// exportAll exports a repository and its submodules. `prefix` is the repository's path relative to the outermost repository.
func exportAll(ctx context.Context, r *gitrepo.Repo, commit, folder, dir, prefix string) error {
	links, err := r.ExportFolder(ctx, commit, folder, dir, nil)
	if err != nil {
		return err
	}
	for _, link := range links {
		sub := gitrepo.At(r.Runner, filepath.Join(r.Top, filepath.FromSlash(link.Path)))
		if err := has(ctx, sub, link.Object, prefix+link.Path); err != nil {
			return err
		}
		if err := exportAll(ctx, sub, link.Object, ".", filepath.Join(dir, filepath.FromSlash(link.Path)), prefix+link.Path+"/"); err != nil {
			return err
		}
	}
	return nil
}

// `has` returns an error if a submodule is not checked out, or if its repository lacks the recorded commit.
func has(ctx context.Context, r *gitrepo.Repo, commit, name string) error {
	next := "`git submodule update --init --recursive " + operr.Word(name) + "`; in a workflow, set `submodules: recursive` for actions/checkout"
	if !r.IsCheckedOut(".") {
		return operr.New(next, "the files of the submodule %s are not in this clone", name)
	}
	kind, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch-check"}, Stdin: commit + "\n", Set: git.Offline})
	if err != nil {
		return git.Failure(err, "looking for the commit of the submodule %s", name)
	}
	if !strings.Contains(kind, " commit ") {
		return operr.New(next, "the submodule %s needs its recorded commit %s, which is not in this clone", name, git.Short(commit))
	}
	return nil
}

// plainModes sets the modes of regular files and folders to 644 or 755.
func plainModes(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		if info.Mode().Perm() == mode {
			return nil
		}
		return os.Chmod(path, mode)
	})
}
