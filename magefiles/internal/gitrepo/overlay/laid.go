// Package overlay brings what is not committed to a clone: the changes and the new files of a work tree, and what a person names though git
// ignores it. Nothing is read or written through a link.
//
//	laid.go       what is brought
//	bring.go      how: bytes, modes and links
//	ignored.go    what git ignores, or does not know
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

// Lay brings the changes and the new files of the work tree to a clone of HEAD, dir: bytes, modes and links as they lie
// there; what was deleted is deleted. What git ignores is not brought along, but for the files and folders in also, relative to
// Top; nor are new files that leave wants to stay behind, by their path relative to Top. Submodules, and repositories that git
// knows nothing of, are brought at the commit that they are at, with their changes. Nothing is written through a link. It returns what
// it brought, or took away: what git knows, or also names, and what is new.
func Lay(ctx context.Context, r *gitrepo.Repo, dir string, also []string, leave func(path string) bool) (laid, fresh []string, err error) {
	l := &layer{runner: r.Runner, from: r.Top, to: dir, leave: leave, common: r.Common}
	if err := l.changes(ctx, r); err != nil {
		return nil, nil, err
	}
	return append(l.laid, also...), l.fresh, l.named(also)
}

// Copy is Lay for a folder that has no commit, be it one of a repository or not, and a folder that is not there: it brings all
// files but those that git ignores.
func Copy(ctx context.Context, runner command.Runner, from, to string, also []string, leave func(path string) bool) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	l := &layer{runner: runner, from: from, to: to, leave: leave}
	if err := l.files(ctx); err != nil {
		return err
	}
	return l.named(also)
}

// layer brings files of a work tree to a clone of it.
type layer struct {
	runner   command.Runner
	from, to string
	leave    func(path string) bool // says of a new file that it stays behind
	common   string                 // what git keeps for the repository; "" for none

	modes map[string]string // of git, by path, where those of the work tree do not count
	laid  []string          // what was brought, or taken away
	fresh []string          // new files that were brought
}

// changes brings what differs from HEAD. Repositories come last: their files are theirs, whatever this one knows of them.
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
		name, nested := strings.CutSuffix(c.Path, "/") // a repository that git knows nothing of
		switch {
		case c.Code == "D ": // git is to forget it; where it stays and is not ignored, it is a new file too
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

// repository brings a repository in this one, be it a submodule or not. A work tree of this very repository is not a part of it.
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
	if _, err := os.Lstat(filepath.Join(from, ".git")); err != nil { // files in place of a submodule
		l.laid = append(l.laid, name)
		if err := remove(l.to, name); err != nil {
			return err
		}
		return l.all(name)
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

// isAt reports whether a folder is a repository of its own at a commit.
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

// files brings the files of a folder that git does not ignore.
func (l *layer) files(ctx context.Context) error {
	r := gitrepo.At(l.runner, l.from)
	args := []string{"ls-files", "-t", "--cached", "--others", "--exclude-standard", "-z"}
	if _, err := os.Lstat(filepath.Join(l.from, ".git")); err != nil {
		none, remove, err := scratch.Make("", "none-")
		if err != nil {
			return err
		}
		defer remove() // what stays, the next run removes
		if _, err := r.Ask(ctx, "init", "--quiet", "--bare", "--template=", "--", none); err != nil {
			return git.Failed(err, "making a repository to look at %s with", l.from)
		}
		args = append([]string{"--git-dir=" + none, "--work-tree=" + l.from}, args...)
	}
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return git.Failed(err, "listing the files of %s", l.from)
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

// isRepository reports whether a path is one: a submodule that is checked out, or what is to become one.
func (l *layer) isRepository(name string) bool {
	st, err := l.lstat(path.Join(name, ".git"))
	return err == nil && st != nil
}
