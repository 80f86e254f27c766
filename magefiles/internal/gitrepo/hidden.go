package gitrepo

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// assumed are the files that git takes for unchanged without a look: by a flag that `git update-index --assume-unchanged` and
// the setting core.ignoreStat leave in the index.
func (r *Repo) assumed(ctx context.Context) (paths []string, err error) {
	return r.flagged(ctx, func(flag byte) bool { return flag >= 'a' && flag <= 'z' })
}

// flagged are the files that git knows by whose flag in `git ls-files -v` they are chosen.
func (r *Repo) flagged(ctx context.Context, by func(flag byte) bool) (paths []string, err error) {
	out, err := r.git(ctx, "ls-files", "-v", "-z", "--full-name")
	if err != nil {
		return nil, failed(err, "asking git for the files of %s", r.Top)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		if len(line) > 2 && by(line[0]) {
			paths = append(paths, line[2:])
		}
	}
	return paths, nil
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

// Hidden returns the paths, relative to Top, of files that are there and differ from HEAD, while git was told that nobody wants
// to know (`git update-index --skip-worktree`). Files that such a flag keeps out of the work tree are not among them.
func (r *Repo) Hidden(ctx context.Context) ([]string, error) {
	skipped, err := r.flagged(ctx, func(flag byte) bool { return flag == 'S' || flag == 's' })
	if err != nil {
		return nil, err
	}
	var there []string
	for _, p := range skipped {
		if _, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(p))); err == nil {
			there = append(there, p)
		}
	}
	if there == nil {
		return nil, nil
	}
	return r.changed(ctx, "--untracked-files=no", there)
}

// Left returns the paths, relative to Top, that differ from HEAD or that git does not know, and those that it ignores in
// folders that packages are packed from, which are relative to the folder that Open was given.
func (r *Repo) Left(ctx context.Context, packed []string) ([]string, error) {
	left, err := r.Changes(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--full-name", "--"}
	for _, dir := range r.below(packed) {
		if dir == "." {
			args = append(args, ":(top)")
		} else {
			args = append(args, ":(top,literal)"+dir)
		}
	}
	if args[len(args)-1] == "--" {
		return left, nil
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, failed(err, "asking git for the ignored files of %s", r.Top)
	}
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" && !strings.HasPrefix(name, path.Join(r.Prefix, "output")+"/") {
			left = append(left, name)
		}
	}
	return left, nil
}
