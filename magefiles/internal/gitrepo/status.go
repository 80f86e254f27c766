package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Changes returns the paths, relative to Top, that differ from HEAD or that git does not know and does not ignore.
func (r *Repo) Changes(ctx context.Context) ([]string, error) {
	return r.status(ctx, "--untracked-files=all")
}

// Changed returns the paths, relative to Top, of the files that git knows and that differ from HEAD, staged or not.
func (r *Repo) Changed(ctx context.Context) ([]string, error) {
	return r.status(ctx, "--untracked-files=no")
}

func (r *Repo) status(ctx context.Context, untracked string) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.changed(ctx, untracked, PathsOf(entries, Entry.Assumed))
}

// changed asks git what differs from HEAD, where it has to look at the files given whatever it was told of them.
func (r *Repo) changed(ctx context.Context, untracked string, look []string) (paths []string, err error) {
	changes, err := r.StatusOf(ctx, look, untracked)
	for _, c := range changes {
		paths = append(paths, c.Path)
	}
	return paths, err
}

// Status is a path that differs from HEAD.
type Status struct {
	Code string // of `git status --porcelain`: "D " is one that is deleted from the index, "??" is one that git does not know
	Path string // relative to Top; one that ends with a slash is a repository that git knows nothing of
}

// StatusOf is Changed with what git says of each path. flags are of git status.
func (r *Repo) StatusOf(ctx context.Context, look []string, flags ...string) (changes []Status, err error) {
	out, err := r.looking(ctx, look, func(set []string) (string, error) {
		return r.Call(ctx, git.Call{Args: append([]string{"status", "--porcelain=v1", "-z", "--no-renames"}, flags...), Set: set})
	})
	if err != nil {
		return nil, git.Failed(err, "asking git for the changes in %s", r.Top)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		if len(line) > 3 {
			changes = append(changes, Status{Code: line[:2], Path: line[3:]})
		}
	}
	return changes, nil
}

// Hidden returns the paths, relative to Top, of files that are there and differ from HEAD, and that git was told not to look at
// (`git update-index --skip-worktree`). Files that such a flag keeps out of the work tree are not among them.
func (r *Repo) Hidden(ctx context.Context) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.HiddenOf(ctx, entries)
}

// HiddenOf is Hidden for an index that was read.
func (r *Repo) HiddenOf(ctx context.Context, entries []Entry) ([]string, error) {
	return r.Edited(ctx, PathsOf(entries, func(e Entry) bool {
		if !e.Skipped() {
			return false
		}
		_, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(e.Path)))
		return err == nil
	}))
}

// Edited returns those of the files, which git does not look at, that differ from HEAD.
func (r *Repo) Edited(ctx context.Context, unseen []string) ([]string, error) {
	if len(unseen) == 0 {
		return nil, nil
	}
	changed, err := r.changed(ctx, "--untracked-files=no", unseen)
	return slices.DeleteFunc(changed, func(p string) bool { return !slices.Contains(unseen, p) }), err
}

// Unlooked says what is wrong with a file that Edited returns: what follows its path in a sentence.
const Unlooked = "is changed, and git was told not to look (assume-unchanged or skip-worktree)"

// LookAgain is what to do about it.
func LookAgain(path string) string {
	return "`git update-index --no-assume-unchanged --no-skip-worktree " + operr.Word(path) + "`, and see `git diff`"
}

// Untracked returns those of the paths, relative to Top, that git does not know, or whose edits are Hidden from it.
func (r *Repo) Untracked(ctx context.Context, paths []string) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.untrackedOf(ctx, entries, paths)
}

// untrackedOf is Untracked for an index that was read.
func (r *Repo) untrackedOf(ctx context.Context, entries []Entry, paths []string) ([]string, error) {
	known := map[string]bool{}
	for _, e := range entries {
		known[e.Path] = true
	}
	hidden, err := r.HiddenOf(ctx, entries)
	if err != nil {
		return nil, err
	}
	for _, name := range hidden {
		known[name] = false
	}
	var unknown []string
	for _, p := range paths {
		if !known[p] {
			unknown = append(unknown, p)
		}
	}
	return unknown, nil
}

// Survey returns what Changed, and, of paths, Untracked and Troubles return, and reads the index once for all of them.
func (r *Repo) Survey(ctx context.Context, paths []string) (changed, untracked []string, troubles []*operr.Error, err error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	questions, ctx := errgroup.WithContext(ctx)
	questions.Go(func() (err error) {
		changed, err = r.changed(ctx, "--untracked-files=no", PathsOf(entries, Entry.Assumed))
		return err
	})
	questions.Go(func() (err error) { untracked, err = r.untrackedOf(ctx, entries, paths); return err })
	questions.Go(func() (err error) { troubles, err = r.troublesOf(ctx, entries, paths); return err })
	return changed, untracked, troubles, questions.Wait()
}

// Submodule is the submodule that a path, relative to Top, is or lies in, as the index has it; "" where the repository itself has it.
func (r *Repo) Submodule(ctx context.Context, path string) (string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Mode == LinkMode && strings.HasPrefix(path+"/", e.Path+"/") {
			return e.Path, nil
		}
	}
	return "", nil
}

// IsCheckedOut reports whether a submodule's folder is a repository.
func (r *Repo) IsCheckedOut(link string) bool {
	_, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(link), ".git"))
	return err == nil
}
