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

// Entry is a file, or a submodule, in git's index.
type Entry struct {
	Path   string // relative to Top, with slashes
	Mode   string // "100644"
	Object string // hex
	Flag   byte   // of `git ls-files -v`
}

// LinkMode is the mode of a submodule.
const LinkMode = "160000"

// Assumed reports whether git takes the file for unchanged without a look (assume-unchanged): `git update-index` was told so, or the
// setting core.ignoreStat left it in the index.
func (e Entry) Assumed() bool { return e.Flag >= 'a' && e.Flag <= 'z' }

// Skipped reports whether git takes the file for unchanged, be it there or not (skip-worktree): `git update-index` was told so, or a
// sparse checkout leaves it out.
func (e Entry) Skipped() bool { return e.Flag == 'S' || e.Flag == 's' }

// Unseen reports whether git does not look at the file.
func (e Entry) Unseen() bool { return e.Assumed() || e.Skipped() }

// entryCache are the entries that were read last, and the index that they are of: git replaces the file to change it.
type entryCache struct {
	mu      sync.Mutex
	of      fs.FileInfo
	entries []Entry
}

// Entries reads the index, once as long as it is the same file. Nobody changes what is returned.
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
		return nil, git.Failed(err, "asking git for the files of %s", r.Top)
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

// PathsOf are the paths of the entries that are chosen.
func PathsOf(entries []Entry, choose func(Entry) bool) (chosen []string) {
	for _, e := range entries {
		if choose(e) {
			chosen = append(chosen, e.Path)
		}
	}
	return chosen
}

// looking calls f with the variable of an index like the repository's in which git looks at the files given, whatever it was
// told of them. With none, it is the repository's own.
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
	defer remove() // what stays, the next run removes
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

// lookAt takes the flags away by which git does not look at files.
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
