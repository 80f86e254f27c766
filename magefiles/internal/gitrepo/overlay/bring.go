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

// at is a path below a folder; name has slashes.
func at(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// lstat looks at a path of the work tree; nil where there is nothing. What is behind a link is not in the work tree, as for git.
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

// unseen is the error for a file that may be there and cannot be looked at; nil for one that is not there.
func unseen(file string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return operr.New("make it readable, or have git ignore it", "%s cannot be copied to where it is to be built: %w", file, err)
}

// bring makes a path of the clone what it is in the work tree: a file or a link, with its mode, or nothing.
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

// link makes a link. One that names the work tree itself by its full path names the clone there.
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

// copy copies a file.
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
		case "120000": // of a work tree on a file system without links
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
		return operr.New("see that there is room, and that it can be read", "copying %s to where it is to be built: %w", at(l.from, name), err)
	}
	if err := out.Chmod(mode | 0o600); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// readModes takes git's modes, where git was told that those of the file system say nothing, or that it has no links.
func (l *layer) readModes(ctx context.Context, r *gitrepo.Repo, entries []gitrepo.Entry) error {
	out, _, err := r.Answer(ctx, "config", "--type=bool", "--get-regexp", `^core\.(filemode|symlinks)$`)
	if err != nil {
		return git.Failed(err, "asking git for the settings of %s", r.Top)
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

// named brings files and folders that a person names, be they ignored or not. A link on the way has to stay in the work tree.
func (l *layer) named(names []string) error {
	for _, name := range names {
		parent, err := filepath.EvalSymlinks(at(l.from, path.Dir(name)))
		if err != nil {
			return unseen(at(l.from, name), err)
		}
		rel, err := filepath.Rel(l.from, parent)
		if err != nil || !filepath.IsLocal(rel) {
			return operr.New("name a file in "+l.from, "%s is behind a link that leads out of the work tree, to %s", at(l.from, name), parent)
		}
		if err := l.all(path.Join(filepath.ToSlash(rel), path.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

// all brings a file or a folder with all that is in it, but for git's own, and for what stays behind unless it is in a folder that
// does and was named.
func (l *layer) all(name string) error {
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

// makeFolder makes the folders of a path below to. A file or a link that is in the way goes: nothing is written through a link.
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

// remove removes a path below to, and the folders that are empty then. What is behind a link is not below it.
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
		removed = os.Remove(at(to, dir)) == nil // there is something in it where not
	}
	return nil
}
