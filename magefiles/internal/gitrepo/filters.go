package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// carry takes the filters that are configured for one repository alone over to a clone of it: without them, files would be
// checked out as git stores them. What Git LFS has on this machine is used where it lies. The key of git-crypt is not given
// away: its files stay encrypted, and are refused where a package has some.
func (r *Repo) carry(ctx context.Context, from, dir string) error {
	if err := r.copyConfig(ctx, from, dir, `^(filter|lfs)\.`); err != nil {
		return err
	}
	objects := filepath.Join(from, "lfs")
	if _, err := os.Stat(objects); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := (&Repo{Top: dir, runner: r.runner}).git(ctx, "config", "--local", "--", "lfs.storage", objects); err != nil {
		return failed(err, "telling the clone %s where Git LFS has its files", dir)
	}
	return nil
}

// copyConfig takes settings of one repository over to another one; never the filter of git-crypt.
func (r *Repo) copyConfig(ctx context.Context, from, dir, pattern string) error {
	clone := &Repo{Top: dir, runner: r.runner}
	out, _, err := r.answer(ctx, "config", "--file="+filepath.Join(from, "config"), "--includes", "--null", "--get-regexp", "--", pattern)
	if err != nil {
		return failed(err, "reading the settings of %s", r.Top)
	}
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, ok := strings.Cut(kv, "\n")
		if !ok || strings.HasPrefix(key, "filter.git-crypt") {
			continue
		}
		if _, err := clone.git(ctx, "config", "--local", "--add", "--", key, value); err != nil {
			return failed(err, "taking %s over to the clone %s", key, dir)
		}
	}
	return nil
}

// checkOut checks a commit out in a fresh clone. Where a filter fails, Git LFS is asked to leave the pointers of files that it
// cannot get: a package may do without them, and [Repo.Lacking] names those that one has.
func (r *Repo) checkOut(ctx context.Context, commit string) error {
	if err := noOption(commit); err != nil {
		return err
	}
	args := []string{"checkout", "--quiet", "--force", "--detach", commit}
	_, err := r.talk(ctx, call{args: args})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, again := r.talk(ctx, call{args: args, set: []string{"GIT_LFS_SKIP_SMUDGE=1"}}); again == nil {
		return nil
	}
	return err
}
