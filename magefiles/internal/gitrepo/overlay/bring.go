package overlay

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// `at` joins a folder and a slash-separated path.
func at(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// lstat returns information about a path in the work tree, or nil if it does not exist. Like git, it treats a path below a symlink as nonexistent.
func (l *layer) lstat(name string) (fs.FileInfo, error) {
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		if st, err := os.Lstat(at(l.from, name[:i])); err != nil || !st.IsDir() {
			return nil, unseen(at(l.from, name), err)
		}
	}
	st, err := os.Lstat(at(l.from, name))
	if err != nil {
		return nil, unseen(at(l.from, name), err)
	}
	return st, nil
}

// unseen returns the error for a file that cannot be read, or nil if the file does not exist.
func unseen(file string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return operr.New("make the file readable, or have git ignore the file", "%s cannot be copied to the build folder: %w", file, err)
}

// bring copies a file or a symlink, with its mode, from the work tree to the clone. If the work tree does not have it, bring removes it from the
// clone.
func (l *layer) bring(name string) error {
	st, err := l.lstat(name)
	if err != nil {
		return err
	}
	if st == nil || !st.Mode().IsRegular() && st.Mode()&os.ModeSymlink == 0 {
		return remove(l.to, name)
	}
	if err := makeFolder(l.to, path.Dir(name)); err != nil {
		return err
	}
	if err := os.RemoveAll(at(l.to, name)); err != nil {
		return err
	}
	if st.Mode()&os.ModeSymlink != 0 {
		return l.link(name)
	}
	return l.copy(name, st.Mode().Perm())
}

// link copies a symlink. An absolute target in the work tree is replaced with the same path in the clone.
func (l *layer) link(name string) error {
	leads, err := os.Readlink(at(l.from, name))
	if err != nil {
		return unseen(at(l.from, name), err)
	}
	if filepath.IsAbs(leads) {
		if rel, err := filepath.Rel(l.from, leads); err == nil && filepath.IsLocal(rel) {
			leads = filepath.Join(l.to, rel)
		}
	}
	return os.Symlink(leads, at(l.to, name))
}

// copy copies a regular file. If l.modes is set, the mode is the one in git's index.
func (l *layer) copy(name string, mode fs.FileMode) error {
	in, err := beneath.OpenFile(at(l.from, name))
	if err != nil {
		return unseen(at(l.from, name), err)
	}
	defer in.Close()
	if l.modes != nil {
		mode = 0o644
		switch l.modes[name] {
		case "100755":
			mode = 0o755
		case "120000": // a symlink, from a work tree on a file system without symlinks
			if leads, err := io.ReadAll(io.LimitReader(in, 4096)); err == nil && len(leads) > 0 {
				return os.Symlink(string(leads), at(l.to, name))
			}
		}
	}
	out, err := os.OpenFile(at(l.to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return operr.New("check that the disk has room, and that the file is readable", "copying %s to the build folder: %w", at(l.from, name), err)
	}
	if err := out.Chmod(mode | 0o600); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// readModes loads modes from the index if git is configured to ignore the file system's modes, or to not use symlinks.
func (l *layer) readModes(ctx context.Context, r *gitrepo.Repo, entries []gitrepo.Entry) error {
	out, _, err := r.Answer(ctx, "config", "--type=bool", "--get-regexp", `^core\.(filemode|symlinks)$`)
	if err != nil {
		return git.Failure(err, "asking git for the settings of %s", r.Top)
	}
	if !strings.Contains(out, " false") {
		return nil
	}
	l.modes = map[string]string{}
	for _, e := range entries {
		l.modes[e.Path] = e.Mode
	}
	return nil
}

// copyNamed copies the files and folders that the user names, ignored or not. A symlink in a path must not lead out of the work tree.
func (l *layer) copyNamed(names []string) error {
	for _, name := range names {
		parent, err := filepath.EvalSymlinks(at(l.from, path.Dir(name)))
		if err != nil {
			return unseen(at(l.from, name), err)
		}
		rel, err := filepath.Rel(l.from, parent)
		if err != nil || !filepath.IsLocal(rel) {
			return operr.New("name a file in "+l.from, "%s is below a link that leads out of the work tree to %s", at(l.from, name), parent)
		}
		if err := l.copyAll(path.Join(filepath.ToSlash(rel), path.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

// copyAll copies a file or a folder recursively. It skips .git and the files for which l.leave returns true. If that includes the named folder
// itself, it copies everything in the folder.
func (l *layer) copyAll(name string) error {
	stays := func(p string) bool { return p != name && l.leave(p) }
	if l.leave(name) {
		stays = func(string) bool { return false }
	}
	return filepath.WalkDir(at(l.from, name), func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return unseen(file, err)
		}
		rel, err := filepath.Rel(l.from, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.Name() == ".git" || stays(rel):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		return l.bring(rel)
	})
}

// makeFolder creates a folder below `to`, including parents. It removes files and symlinks that are in the way, so that nothing is written through a
// symlink.
func makeFolder(to, name string) error {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if st, err := os.Lstat(at(to, name[:i])); err == nil && !st.IsDir() {
			if err := os.Remove(at(to, name[:i])); err != nil {
				return err
			}
		}
	}
	return os.MkdirAll(at(to, name), 0o755)
}

// remove removes a path below `to`, and parent folders that become empty. It ignores a path that goes through a symlink.
func remove(to, name string) error {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		st, err := os.Lstat(at(to, dir))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !st.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if err := os.RemoveAll(at(to, name)); err != nil {
		return err
	}
	for dir, removed := path.Dir(name), true; removed && dir != "."; dir = path.Dir(dir) {
		removed = os.Remove(at(to, dir)) == nil // fails if the folder is not empty
	}
	return nil
}
