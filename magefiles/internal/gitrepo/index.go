package gitrepo

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Entry is an entry in git's index: a file, a symlink or a submodule.
type Entry struct {
	Path   string // relative to Top, with slashes
	Mode   string // "100644"
	Object string // hex
	Flag   byte   // tag letter that `git ls-files -v` prints
}

// LinkMode is the mode of a submodule (git calls it a gitlink).
const LinkMode = "160000"

// Assumed reports whether the file has the assume-unchanged flag, which makes git assume that it is unchanged. The flag was set by `git
// update-index`, or by git itself because of core.ignoreStat.
func (e Entry) Assumed() bool { return e.Flag >= 'a' && e.Flag <= 'z' }

// Skipped reports whether the file has the skip-worktree flag, which makes git assume that it is unchanged even if it is missing. The flag was set by
// `git update-index` or by a sparse checkout.
func (e Entry) Skipped() bool { return e.Flag == 'S' || e.Flag == 's' }

// Unseen reports whether git ignores changes to the file because of one of these flags.
func (e Entry) Unseen() bool { return e.Assumed() || e.Skipped() }

// entryCache caches the entries of the index. It is valid while the index is the file `of`, because git replaces the file on every change.
type entryCache struct {
	mu      sync.Mutex
	of      fs.FileInfo
	entries []Entry
}

// Entries returns the entries of the index. The result is cached until the index file changes, and must not be modified.
func (r *Repo) Entries(ctx context.Context) ([]Entry, error) {
	is, err := os.Stat(r.index)
	if r.index == "" || err != nil {
		return r.readEntries(ctx)
	}
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	if was := r.cache.of; was != nil && os.SameFile(was, is) && was.ModTime().Equal(is.ModTime()) && was.Size() == is.Size() {
		return r.cache.entries, nil
	}
	entries, err := r.readEntries(ctx)
	if err == nil {
		r.cache.of, r.cache.entries = is, entries
	}
	return entries, err
}

func (r *Repo) readEntries(ctx context.Context) ([]Entry, error) {
	out, err := r.Ask(ctx, "ls-files", "-v", "--stage", "-z", "--full-name")
	if err != nil {
		return nil, git.Failure(err, "asking git for the files of %s", r.Top)
	}
	var entries []Entry
	for line := range strings.SplitSeq(out, "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		if f := strings.Fields(head); ok && len(f) == 4 {
			entries = append(entries, Entry{Path: name, Mode: f[1], Object: f[2], Flag: f[0][0]})
		}
	}
	return entries, nil
}

// PathsOf returns the paths of the entries for which choose returns true.
func PathsOf(entries []Entry, choose func(Entry) bool) (chosen []string) {
	for _, e := range entries {
		if choose(e) {
			chosen = append(chosen, e.Path)
		}
	}
	return chosen
}

// looking calls f with a variable that points git to a copy of the index, in which the flags of the files `at` are cleared. If there are no such
// files, f uses the repository's own index.
func (r *Repo) looking(ctx context.Context, at []string, f func(set []string) (string, error)) (string, error) {
	if len(at) == 0 {
		return f(nil)
	}
	index, err := os.ReadFile(r.index)
	if err != nil {
		return "", err
	}
	dir, remove, err := scratch.Make("", "index-")
	if err != nil {
		return "", err
	}
	defer remove() // if that fails, the next run removes it
	file := filepath.Join(dir, "index")
	if err := os.WriteFile(file, index, 0o600); err != nil {
		return "", err
	}
	set := []string{"GIT_INDEX_FILE=" + file}
	if err := r.lookAt(ctx, at, set); err != nil {
		return "", err
	}
	return f(set)
}

// lookAt clears the flags that make git ignore changes to files.
func (r *Repo) lookAt(ctx context.Context, paths, set []string) error {
	if len(paths) == 0 {
		return nil
	}
	list := strings.Join(paths, "\x00") + "\x00"
	for _, forget := range []string{"--no-assume-unchanged", "--no-skip-worktree"} {
		if _, err := r.Call(ctx, git.Call{Args: []string{"update-index", forget, "-z", "--stdin"}, Stdin: list, Set: set}); err != nil {
			return err
		}
	}
	return nil
}
