package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Troubles says why files, relative to Top, cannot be committed as they are changed: one is in a submodule, is ignored, has a
// double whose name differs in case only, or hides an edit from git.
func (r *Repo) Troubles(ctx context.Context, paths []string) ([]*operr.Error, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.troublesOf(ctx, entries, paths)
}

// troublesOf is Troubles for an index that was read.
func (r *Repo) troublesOf(ctx context.Context, entries []Entry, paths []string) ([]*operr.Error, error) {
	known, folded := map[string]Entry{}, map[string][]string{}
	var links []string
	for _, e := range entries {
		known[e.Path] = e
		folded[strings.ToLower(e.Path)] = append(folded[strings.ToLower(e.Path)], e.Path)
		if e.Mode == LinkMode {
			links = append(links, e.Path)
		}
	}
	var found []*operr.Error
	var fresh []string
	var unseen []Entry
	for _, p := range paths {
		e, tracked := known[p]
		link := slices.IndexFunc(links, func(l string) bool { return strings.HasPrefix(p, l+"/") })
		switch {
		case link >= 0:
			found = append(found, operr.New("release it there, and commit the submodule here; where packages have versions of their own, -only leaves it out",
				"%s is in the submodule %s, a repository of its own, and a commit here cannot contain it", p, links[link]))
		case !tracked:
			fresh = append(fresh, p)
		case e.Unseen():
			unseen = append(unseen, e)
		}
		for _, other := range folded[strings.ToLower(p)] {
			if other != p {
				found = append(found, double(p, other))
			}
		}
	}
	edited, err := r.Edited(ctx, PathsOf(unseen, func(Entry) bool { return true }))
	if err != nil {
		return nil, err
	}
	for _, p := range edited {
		found = append(found, operr.New(LookAgain(p), "%s %s: that edit would be committed too", p, Unlooked))
	}
	ignored, err := r.ignored(ctx, fresh)
	return append(found, ignored...), err
}

func double(p, other string) *operr.Error {
	return operr.New("keep one of them, or rename one: `git mv "+operr.Word(other)+" …`",
		"%s and %s differ in case only: where file systems do not tell them apart, a clone has one of them", p, other)
}

// ignored says which of the files, that git does not know, are ignored, and by which line.
func (r *Repo) ignored(ctx context.Context, paths []string) ([]*operr.Error, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	out, err := r.Feed(ctx, strings.Join(paths, "\x00")+"\x00", "check-ignore", "-z", "--verbose", "--stdin")
	if err != nil && git.Ended(err) != 1 { // 1: none is
		return nil, git.Failed(err, "asking git which files it ignores")
	}
	var found []*operr.Error
	for f := strings.Split(out, "\x00"); len(f) >= 4; f = f[4:] {
		if !strings.HasPrefix(f[2], "!") {
			found = append(found, operr.New("take it out of there, and `git add "+operr.Word(f[3])+"` where it exists",
				"%s is ignored by git (%s:%s: %s), and a release commits it", f[3], f[0], f[1], f[2]))
		}
	}
	return found, nil
}

// Unwritable says which of git's own files and folders, which a commit needs, cannot be written, or are locked.
func (r *Repo) Unwritable(ctx context.Context) ([]*operr.Error, error) {
	dirs := []string{r.Dir}
	for _, name := range []string{"", "objects", "refs", "refs/heads", "refs/tags"} {
		if dir := filepath.Join(r.Common, filepath.FromSlash(name)); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	var found []*operr.Error
	closed := ""
	for _, dir := range dirs {
		if closed != "" && strings.HasPrefix(dir, closed+string(filepath.Separator)) {
			continue // it is said already
		}
		if _, err := os.Stat(dir); err != nil {
			continue // git makes it, or keeps it elsewhere
		}
		if err := atomicfile.Writable(dir); err != nil {
			found = append(found, operr.New("make it writable: a commit and a tag go there", "git cannot write to %s: %v", dir, err))
			closed = dir
		}
	}
	// Not the index: a status, ours too, locks it for a moment, and a commit that finds it locked has changed nothing yet.
	found = append(found, locked(filepath.Join(r.Dir, "HEAD"))...)
	// Where refs are files, HEAD is one too, which says the branch; elsewhere nothing is locked by a file.
	head, err := os.ReadFile(filepath.Join(r.Dir, "HEAD"))
	if branch, on := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: "); err == nil && on {
		found = append(found, locked(filepath.Join(r.Common, filepath.FromSlash(branch)))...)
	}
	return found, nil
}

// locked says which files of git's are locked: by a git that is at work, or by one that was killed.
func locked(files ...string) (found []*operr.Error) {
	for _, file := range files {
		if _, err := os.Lstat(file + ".lock"); err == nil {
			found = append(found, operr.New("wait until the git that is at work there has ended; where none is, one was killed: remove "+file+".lock", "git has locked %s", file))
		}
	}
	return found
}
