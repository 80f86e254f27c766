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

// Export writes the files that a commit has in a folder, relative to Top, to dir, which need not be there: as git would check
// them out, whatever the work tree and the index are like, and by no setting of the person. Paths stay relative to Top.
//
// What is written is the commit and nothing else: a submodule has the files of the commit that is recorded for it, or is
// refused, and the modes are those that git knows, 644 and 755, whatever the umask.
func Export(ctx context.Context, r *gitrepo.Repo, commit, folder, dir string) error {
	if err := exportAll(ctx, r, commit, folder, dir, ""); err != nil {
		return err
	}
	return plainModes(dir)
}

// exportAll exports a repository and its submodules. prefix is its path from the outermost one.
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

// has refuses a submodule that is not checked out, or whose repository lacks the commit that is recorded for it.
func has(ctx context.Context, r *gitrepo.Repo, commit, name string) error {
	next := "`git submodule update --init --recursive " + operr.Word(name) + "`; in a workflow, `submodules: recursive` for actions/checkout"
	if !r.IsCheckedOut(".") {
		return operr.New(next, "%s is a submodule, and its files are not here", name)
	}
	kind, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch-check"}, Stdin: commit + "\n", Set: git.Offline})
	if err != nil {
		return git.Failed(err, "looking for the commit of the submodule %s", name)
	}
	if !strings.Contains(kind, " commit ") {
		return operr.New(next, "%s is a submodule, and the commit that is recorded for it, %s, is not here", name, git.Short(commit))
	}
	return nil
}

// plainModes gives files and folders the modes that git knows. What is no file and no folder has none.
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
