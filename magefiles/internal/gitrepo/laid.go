package gitrepo

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// LayOver brings the changes and the new files of the work tree to a clone of HEAD, dir: bytes, modes and links as they lie
// there; what was deleted is deleted. What git ignores is not brought along, but for the files and folders in also, relative to
// Top; nor is anything that leave wants to stay behind, by its path relative to Top.
func (r *Repo) LayOver(ctx context.Context, dir string, also []string, leave func(path string) bool) error {
	entries, err := r.entries(ctx)
	if err != nil {
		return err
	}
	links := pathsOf(entries, func(e entry) bool { return e.mode == linkMode })
	changes, err := r.Changes(ctx)
	if err != nil {
		return err
	}
	hidden, err := r.Hidden(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Concat(changes, hidden) {
		name, folder := strings.CutSuffix(name, "/") // a repository that git knows nothing of
		switch {
		case leave(name):
			continue
		case folder || slices.Contains(links, name):
			err = r.layRepository(ctx, name, dir, leave)
		default:
			err = bring(r.Top, dir, name)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range also {
		if err := bringAll(r.Top, dir, name, leave); err != nil {
			return err
		}
	}
	return nil
}

// layRepository brings a repository in this one, be it a submodule or not: its changes where the clone has the same commit of it,
// and all of its files otherwise.
func (r *Repo) layRepository(ctx context.Context, name, dir string, leave func(path string) bool) error {
	from, to := filepath.Join(r.Top, filepath.FromSlash(name)), filepath.Join(dir, filepath.FromSlash(name))
	below := func(p string) bool { return leave(path.Join(name, p)) }
	if _, err := os.Lstat(filepath.Join(from, ".git")); err != nil {
		return bringAll(r.Top, dir, name, leave)
	}
	inner, err := Open(ctx, r.runner, from)
	if err != nil {
		return err
	}
	head, err := inner.Head(ctx)
	if err == nil {
		if there, openErr := Open(ctx, r.runner, to); openErr == nil && there.Top == to {
			if at, headErr := there.Head(ctx); headErr == nil && at.Commit == head.Commit {
				return inner.LayOver(ctx, to, nil, below)
			}
		}
	}
	if err := empty(to); err != nil {
		return err
	}
	return CopyFiles(ctx, r.runner, from, to, nil, below)
}

// CopyFiles brings the files of a folder, be it one of a repository or not, to another one, as LayOver does: all but those that
// git ignores.
func CopyFiles(ctx context.Context, runner command.Runner, from, to string, also []string, leave func(path string) bool) error {
	files, err := files(ctx, runner, from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if name, folder := strings.CutSuffix(f, "/"); folder {
			err = CopyFiles(ctx, runner, filepath.Join(from, name), filepath.Join(to, name), nil, func(p string) bool { return leave(path.Join(name, p)) })
		} else if !leave(f) {
			err = bring(from, to, f)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range also {
		if err := bringAll(from, to, name, leave); err != nil {
			return err
		}
	}
	return nil
}

// files returns the files below a folder that git does not ignore, relative to it, with slashes: those that it knows, and new
// ones. The folder need not be one of a repository.
func files(ctx context.Context, runner command.Runner, dir string) ([]string, error) {
	r := &Repo{Top: dir, runner: runner}
	args := []string{"ls-files", "--cached", "--others", "--exclude-standard", "-z"}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		none, err := os.MkdirTemp("", "none-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(none)
		if _, err := r.git(ctx, "init", "--quiet", "--bare", "--template=", none); err != nil {
			return nil, failed(err, "making a repository to look at %s with", dir)
		}
		args = append([]string{"--git-dir=" + none, "--work-tree=" + dir}, args...)
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, failed(err, "listing the files of %s", dir)
	}
	return slices.Compact(strings.FieldsFunc(out, func(c rune) bool { return c == 0 })), nil // one that is in conflict is listed three times
}

// bring makes a path below to what it is below from: a file or a link, with its mode, or nothing. Names have slashes.
func bring(from, to, name string) error {
	source, target := filepath.Join(from, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))
	st, err := os.Lstat(source)
	if err != nil || !st.Mode().IsRegular() && st.Mode()&os.ModeSymlink == 0 {
		return remove(to, name)
	}
	if err := makeFolder(to, path.Dir(name)); err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if st.Mode()&os.ModeSymlink != 0 {
		link, err := os.Readlink(source)
		if err != nil {
			return err
		}
		return os.Symlink(link, target)
	}
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.WriteFile(target, data, 0o644); err != nil {
		return err
	}
	return os.Chmod(target, st.Mode().Perm()|0o600)
}

// bringAll is bring for a file or a folder with all that is in it, but for git's own.
func bringAll(from, to, name string, leave func(path string) bool) error {
	top := filepath.Join(from, filepath.FromSlash(name))
	return filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && (d.Name() == ".git" || leave(rel)):
			return filepath.SkipDir
		case d.IsDir() || leave(rel):
			return nil
		}
		return bring(from, to, rel)
	})
}

// makeFolder makes the folders of a path below to. A file or a link that is in the way goes: nothing is written through a link.
func makeFolder(to, name string) error {
	at := to
	for part := range strings.SplitSeq(name, "/") {
		at = filepath.Join(at, part)
		if st, err := os.Lstat(at); err == nil && !st.IsDir() {
			if err := os.Remove(at); err != nil {
				return err
			}
		}
	}
	return os.MkdirAll(at, 0o755)
}

// remove removes a path below to, and the folders that are empty then. What is behind a link is not below it.
func remove(to, name string) error {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if st, err := os.Lstat(filepath.Join(to, filepath.FromSlash(dir))); err != nil || !st.IsDir() {
			return nil
		}
	}
	if err := os.RemoveAll(filepath.Join(to, filepath.FromSlash(name))); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if os.Remove(filepath.Join(to, filepath.FromSlash(dir))) != nil {
			break
		}
	}
	return nil
}
