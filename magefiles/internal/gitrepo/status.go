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

// Changes returns the paths, relative to Top, that differ from HEAD, and untracked files that are not ignored.
func (r *Repo) Changes(ctx context.Context) ([]string, error) {
	return r.status(ctx, "--untracked-files=all")
}

// Changed returns the paths, relative to Top, of tracked files that differ from HEAD, staged or not.
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

// changed returns the paths that differ from HEAD. For the files in `look`, it disregards flags that hide changes.
func (r *Repo) changed(ctx context.Context, untracked string, look []string) (paths []string, err error) {
	changes, err := r.StatusOf(ctx, look, untracked)
	for _, c := range changes {
		paths = append(paths, c.Path)
	}
	return paths, err
}

// Status is a path that differs from HEAD, with git's status code.
type Status struct {
	Code string // code in `git status --porcelain` format: "D " is a deletion in the index, "??" an untracked file
	Path string // relative to Top; a trailing slash marks an untracked repository
}

// StatusOf is like changed, but also returns git's status codes. flags are passed to git status.
func (r *Repo) StatusOf(ctx context.Context, look []string, flags ...string) (changes []Status, err error) {
	out, err := r.looking(ctx, look, func(set []string) (string, error) {
		return r.Call(ctx, git.Call{Args: append([]string{"status", "--porcelain=v1", "-z", "--no-renames"}, flags...), Set: set})
	})
	if err != nil {
		return nil, git.Failure(err, "asking git for the changes in %s", r.Top)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		if len(line) > 3 {
			changes = append(changes, Status{Code: line[:2], Path: line[3:]})
		}
	}
	return changes, nil
}

// Hidden returns the paths, relative to Top, of files that differ from HEAD although git was told to ignore their changes (`git update-index
// --skip-worktree`). It omits files that do not exist in the work tree.
func (r *Repo) Hidden(ctx context.Context) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.HiddenOf(ctx, entries)
}

// HiddenOf is like Hidden, but takes the entries of the index.
func (r *Repo) HiddenOf(ctx context.Context, entries []Entry) ([]string, error) {
	return r.Edited(ctx, PathsOf(entries, func(e Entry) bool {
		if !e.Skipped() {
			return false
		}
		_, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(e.Path)))
		return err == nil
	}))
}

// Edited returns the files in `unseen` that differ from HEAD. These are files that git skips because of their flags.
func (r *Repo) Edited(ctx context.Context, unseen []string) ([]string, error) {
	if len(unseen) == 0 {
		return nil, nil
	}
	changed, err := r.changed(ctx, "--untracked-files=no", unseen)
	return slices.DeleteFunc(changed, func(p string) bool { return !slices.Contains(unseen, p) }), err
}

// Unlooked describes the problem with a file that Edited returned. The text follows the path in a sentence.
const Unlooked = "is changed, but git was told to ignore changes of this file (assume-unchanged or skip-worktree)"

// LookAgain returns the next step for a file that Edited returned.
func LookAgain(path string) string {
	return "`git update-index --no-assume-unchanged --no-skip-worktree " + operr.Word(path) + "`, then look at `git diff`"
}

// Untracked returns the given paths, relative to Top, that git does not track, or that have Hidden changes.
func (r *Repo) Untracked(ctx context.Context, paths []string) ([]string, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.untrackedOf(ctx, entries, paths)
}

// untrackedOf is like Untracked, but takes the entries of the index.
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

// Survey returns the results of Changed, and of Untracked and Troubles for the given paths. It reads the index only once.
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

// Submodule returns the submodule that contains a path, relative to Top, or "" if there is none. A submodule contains itself.
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
