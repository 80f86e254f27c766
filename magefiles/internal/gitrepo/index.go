package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// entry is a file, or a submodule, in git's index.
type entry struct {
	path   string // relative to Top, with slashes
	mode   string // "100644"
	object string // hex
	flag   byte   // of `git ls-files -v`
}

const linkMode = "160000" // of a submodule

// assumed says that git takes the file for unchanged without a look (assume-unchanged): `git update-index` was told so, or the
// setting core.ignoreStat left it in the index.
func (e entry) assumed() bool { return e.flag >= 'a' && e.flag <= 'z' }

// skipped says that git takes the file for unchanged, be it there or not (skip-worktree): `git update-index` was told so, or a
// sparse checkout leaves it out.
func (e entry) skipped() bool { return e.flag == 'S' || e.flag == 's' }

// unseen says that git does not look at the file.
func (e entry) unseen() bool { return e.assumed() || e.skipped() }

// entries reads the index.
func (r *Repo) entries(ctx context.Context) ([]entry, error) {
	out, err := r.git(ctx, "ls-files", "-v", "--stage", "-z", "--full-name")
	if err != nil {
		return nil, failed(err, "asking git for the files of %s", r.Top)
	}
	var entries []entry
	for line := range strings.SplitSeq(out, "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		if f := strings.Fields(head); ok && len(f) == 4 {
			entries = append(entries, entry{path: name, mode: f[1], object: f[2], flag: f[0][0]})
		}
	}
	return entries, nil
}

// pathsOf are the paths of the entries that are chosen.
func pathsOf(entries []entry, choose func(entry) bool) (chosen []string) {
	for _, e := range entries {
		if choose(e) {
			chosen = append(chosen, e.path)
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
	dir, err := os.MkdirTemp("", "index-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
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
		if _, err := r.call(ctx, call{args: []string{"update-index", forget, "-z", "--stdin"}, stdin: list, set: set}); err != nil {
			return err
		}
	}
	return nil
}
