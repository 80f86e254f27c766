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

// Troubles returns the reasons why any of the files, relative to Top, cannot be committed as they are: a file is in a submodule, is ignored, has a
// name that differs from another file's only in case, or has an edit that is hidden from git.
func (r *Repo) Troubles(ctx context.Context, paths []string) ([]*operr.Error, error) {
	entries, err := r.Entries(ctx)
	if err != nil {
		return nil, err
	}
	return r.troublesOf(ctx, entries, paths)
}

// troublesOf is like Troubles, but takes the entries of the index.
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
			found = append(found, operr.New("release the package in the submodule, and then commit the submodule in this repository; or, if packages have separate versions, leave this package out with -only",
				"%s is in the submodule %s, which is a separate repository: a commit here cannot contain this file", p, links[link]))
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
		found = append(found, operr.New(LookAgain(p), "%s %s, and a release would commit these changes too", p, Unlooked))
	}
	ignored, err := r.explainIgnored(ctx, fresh)
	return append(found, ignored...), err
}

func double(p, other string) *operr.Error {
	return operr.New("keep one of the two files, or rename one: `git mv "+operr.Word(other)+" …`",
		"%s and %s differ in case only, so a clone on some file systems has only one of these files", p, other)
}

// explainIgnored returns an error for each ignored file among the given untracked files. It names the pattern that ignores the file.
func (r *Repo) explainIgnored(ctx context.Context, paths []string) ([]*operr.Error, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	out, err := r.Feed(ctx, strings.Join(paths, "\x00")+"\x00", "check-ignore", "-z", "--verbose", "--stdin")
	if err != nil && git.Ended(err) != 1 { // exit status 1 means that no file is ignored
		return nil, git.Failure(err, "asking git which files it ignores")
	}
	var found []*operr.Error
	for f := strings.Split(out, "\x00"); len(f) >= 4; f = f[4:] {
		if !strings.HasPrefix(f[2], "!") {
			found = append(found, operr.New("remove the rule that ignores the file, and run `git add "+operr.Word(f[3])+"` if the file exists",
				"%s is ignored by git (%s:%s: %s), but a release must commit it", f[3], f[0], f[1], f[2]))
		}
	}
	return found, nil
}

// Unwritable returns errors for those of git's files and folders that a commit must write, but that are locked or not writable.
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
			continue // the parent was reported already
		}
		if _, err := os.Stat(dir); err != nil {
			continue // git creates this folder when needed, or stores its content elsewhere
		}
		if err := atomicfile.Writable(dir); err != nil {
			found = append(found, operr.New("make the folder writable, because git writes commits and tags there", "git cannot write to %s: %v", dir, err))
			closed = dir
		}
	}
	// The index is not checked, because every git status, including ours, locks it briefly. A commit that finds the index locked fails before it
	// changes anything.
	found = append(found, findLocks(filepath.Join(r.Dir, "HEAD"))...)
	// In a repository that stores refs in files, HEAD is also a file, and contains the branch name. In other repositories refs have no lock files.
	head, err := os.ReadFile(filepath.Join(r.Dir, "HEAD"))
	if branch, on := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: "); err == nil && on {
		found = append(found, findLocks(filepath.Join(r.Common, filepath.FromSlash(branch)))...)
	}
	return found, nil
}

// findLocks returns an error for each file that is locked, by a running git or by one that was killed.
func findLocks(files ...string) (found []*operr.Error) {
	for _, file := range files {
		if _, err := os.Lstat(file + ".lock"); err == nil {
			found = append(found, operr.New("wait until the other git process has ended; if no git process is running, remove "+file+".lock, which a killed git process left", "git has locked %s", file))
		}
	}
	return found
}
