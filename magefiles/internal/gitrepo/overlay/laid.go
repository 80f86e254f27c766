// Package overlay copies uncommitted files to a clone: the changes and the new files of a work tree, and ignored files that the user
// names. It never reads or writes through a symlink.
//
//	laid.go       finding the files to copy
//	bring.go      copying contents, modes and symlinks
//	ignored.go    listing ignored and untracked files
package overlay

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Lay copies the uncommitted changes and the new files of a work tree to dir, a clone of HEAD, with their contents, modes and symlinks. It removes
// deleted files. It skips ignored files, except the files and folders in `also`, and new files for which `leave` returns true. All these paths are
// relative to Top. Submodules and untracked repositories are cloned at their current commits, with their changes. Lay returns the copied or removed
// paths: `laid` are tracked, or are in `also`; `fresh` are new.
func Lay(ctx context.Context, r *gitrepo.Repo, dir string, also []string, leave func(path string) bool) (laid, fresh []string, err error) {
	l := &layer{runner: r.Runner, from: r.Top, to: dir, leave: leave, common: r.Common}
	if err := l.changes(ctx, r); err != nil {
		return nil, nil, err
	}
	return append(l.laid, also...), l.fresh, l.copyNamed(also)
}

// Copy is like Lay, but copies a folder without using a commit, whether or not the folder is in a repository. It copies all files that git does not
// ignore. The target need not exist.
func Copy(ctx context.Context, runner command.Runner, from, to string, also []string, leave func(path string) bool) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	l := &layer{runner: runner, from: from, to: to, leave: leave}
	if err := l.files(ctx); err != nil {
		return err
	}
	return l.copyNamed(also)
}

// layer copies files from a work tree to a clone.
type layer struct {
	runner   command.Runner
	from, to string
	leave    func(path string) bool // reports whether to skip a new file
	common   string                 // the repository's common git folder, or "" if there is none

	modes map[string]string // modes in git's index, keyed by path; nil if the work tree's modes apply
	laid  []string          // tracked paths that were copied or removed
	fresh []string          // new files that were copied
}

// changes copies the files that differ from HEAD. Nested repositories are copied last, because git may list their files too, and the nested
// repository must take precedence.
func (l *layer) changes(ctx context.Context, r *gitrepo.Repo) error {
	entries, err := r.Entries(ctx)
	if err != nil {
		return err
	}
	changes, err := r.StatusOf(ctx, gitrepo.PathsOf(entries, gitrepo.Entry.Assumed), "--untracked-files=all", "--ignore-submodules=none")
	if err != nil {
		return err
	}
	hidden, err := r.HiddenOf(ctx, entries)
	if err != nil {
		return err
	}
	for _, name := range hidden {
		changes = append(changes, gitrepo.Status{Code: " M", Path: name})
	}
	if len(changes) == 0 {
		return nil
	}
	if err := l.readModes(ctx, r, entries); err != nil {
		return err
	}
	links := gitrepo.PathsOf(entries, func(e gitrepo.Entry) bool { return e.Mode == gitrepo.LinkMode })
	var repositories []string
	for _, c := range changes {
		name, nested := strings.CutSuffix(c.Path, "/") // an untracked repository
		switch {
		case c.Code == "D ": // deleted from the index; if the file still exists and is not ignored, it is also listed as a new file
			l.laid = append(l.laid, name)
			err = remove(l.to, name)
		case c.Code == "??" && l.leave(name):
		case nested || slices.Contains(links, name) || l.isRepository(name):
			repositories = append(repositories, name)
		case c.Code == "??":
			l.fresh = append(l.fresh, name)
			err = l.bring(name)
		default:
			l.laid = append(l.laid, name)
			err = l.bring(name)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range repositories {
		if err := l.repository(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// repository copies a nested repository, which may be a submodule. It skips other work trees of this repository.
func (l *layer) repository(ctx context.Context, name string) error {
	st, err := l.lstat(name)
	if err != nil {
		return err
	}
	if st == nil || !st.IsDir() {
		l.laid = append(l.laid, name)
		return l.bring(name)
	}
	from, to := at(l.from, name), at(l.to, name)
	if _, err := os.Lstat(filepath.Join(from, ".git")); err != nil { // plain files replaced the submodule
		l.laid = append(l.laid, name)
		if err := remove(l.to, name); err != nil {
			return err
		}
		return l.copyAll(name)
	}
	inner, err := gitrepo.Open(ctx, l.runner, from)
	if err != nil {
		return err
	}
	if inner.Common == l.common {
		return nil
	}
	l.laid = append(l.laid, name)
	below := func(p string) bool { return l.leave(path.Join(name, p)) }
	head, err := inner.Head(ctx)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		if err := remove(l.to, name); err != nil {
			return err
		}
		return Copy(ctx, l.runner, from, to, nil, below)
	}
	if err != nil {
		return err
	}
	if !l.isAt(ctx, to, head.Commit) {
		if err := remove(l.to, name); err != nil {
			return err
		}
		if err := makeFolder(l.to, path.Dir(name)); err != nil {
			return err
		}
		if err := gitclone.Borrow(ctx, inner, to, head.Commit); err != nil {
			return err
		}
	}
	_, _, err = Lay(ctx, inner, to, nil, below)
	return err
}

// isAt reports whether a folder is the top of a repository whose HEAD is the given commit.
func (l *layer) isAt(ctx context.Context, dir, commit string) bool {
	if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
		return false
	}
	r, err := gitrepo.Open(ctx, l.runner, dir)
	if err != nil || !gitrepo.SameFile(r.Top, dir) {
		return false
	}
	head, err := r.Head(ctx)
	return err == nil && head.Commit == commit
}

// `files` copies all files of a folder that git does not ignore.
func (l *layer) files(ctx context.Context) error {
	r := gitrepo.At(l.runner, l.from)
	args := []string{"ls-files", "-t", "--cached", "--others", "--exclude-standard", "-z"}
	if _, err := os.Lstat(filepath.Join(l.from, ".git")); err != nil {
		none, remove, err := scratch.Make("", "none-")
		if err != nil {
			return err
		}
		defer remove() // if that fails, the next run removes it
		if _, err := r.Ask(ctx, "init", "--quiet", "--bare", "--template=", "--", none); err != nil {
			return git.Failure(err, "making a repository to look at %s with", l.from)
		}
		args = append([]string{"--git-dir=" + none, "--work-tree=" + l.from}, args...)
	}
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return git.Failure(err, "listing the files of %s", l.from)
	}
	if err := os.MkdirAll(l.to, 0o755); err != nil {
		return err
	}
	for line := range strings.SplitSeq(out, "\x00") {
		tag, name, ok := strings.Cut(line, " ")
		name, nested := strings.CutSuffix(name, "/")
		switch {
		case !ok || tag == "?" && l.leave(name):
		case nested || l.isRepository(name):
			err = l.repository(ctx, name)
		default:
			err = l.bring(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isRepository reports whether a path is the top of a repository, such as a submodule that is checked out.
func (l *layer) isRepository(name string) bool {
	st, err := l.lstat(path.Join(name, ".git"))
	return err == nil && st != nil
}
