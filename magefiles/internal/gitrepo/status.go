package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.changed(ctx, untracked, pathsOf(entries, entry.assumed))
}

// changed asks git what differs from HEAD, where it has to look at the files given whatever it was told of them.
func (r *Repo) changed(ctx context.Context, untracked string, look []string) (paths []string, err error) {
	changes, err := r.statusOf(ctx, look, untracked)
	for _, c := range changes {
		paths = append(paths, c.path)
	}
	return paths, err
}

// change is a path that differs from HEAD.
type change struct {
	code string // of `git status --porcelain`: "D " is one that is deleted from the index, "??" is one that git does not know
	path string // relative to Top; one that ends with a slash is a repository that git knows nothing of
}

// statusOf is changed with what git says of each path. flags are of git status.
func (r *Repo) statusOf(ctx context.Context, look []string, flags ...string) (changes []change, err error) {
	out, err := r.looking(ctx, look, func(set []string) (string, error) {
		return r.call(ctx, call{args: append([]string{"status", "--porcelain=v1", "-z", "--no-renames"}, flags...), set: set})
	})
	if err != nil {
		return nil, failed(err, "asking git for the changes in %s", r.Top)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		if len(line) > 3 {
			changes = append(changes, change{code: line[:2], path: line[3:]})
		}
	}
	return changes, nil
}

// Hidden returns the paths, relative to Top, of files that are there and differ from HEAD, and that git was told not to look at
// (`git update-index --skip-worktree`). Files that such a flag keeps out of the work tree are not among them.
func (r *Repo) Hidden(ctx context.Context) ([]string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.hidden(ctx, entries)
}

func (r *Repo) hidden(ctx context.Context, entries []entry) ([]string, error) {
	return r.edited(ctx, pathsOf(entries, func(e entry) bool {
		if !e.skipped() {
			return false
		}
		_, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(e.path)))
		return err == nil
	}))
}

// edited returns those of the files, which git does not look at, that differ from HEAD.
func (r *Repo) edited(ctx context.Context, unseen []string) ([]string, error) {
	if len(unseen) == 0 {
		return nil, nil
	}
	changed, err := r.changed(ctx, "--untracked-files=no", unseen)
	return slices.DeleteFunc(changed, func(p string) bool { return !slices.Contains(unseen, p) }), err
}

// Untracked returns those of the paths, relative to Top, that git does not know, or whose edits are Hidden from it.
func (r *Repo) Untracked(ctx context.Context, paths []string) ([]string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, e := range entries {
		known[e.path] = true
	}
	hidden, err := r.hidden(ctx, entries)
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

// Submodule is the submodule that a path, relative to Top, is or lies in, as the index has it; "" where the repository itself has it.
func (r *Repo) Submodule(ctx context.Context, path string) (string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.mode == linkMode && strings.HasPrefix(path+"/", e.path+"/") {
			return e.path, nil
		}
	}
	return "", nil
}
