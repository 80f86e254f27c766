package gitclone

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// carry takes the filters that are configured for one repository alone over to a clone of it: without them, files would be
// checked out as git stores them. What Git LFS has on this machine is used where it lies. The key of git-crypt is not given
// away: its files stay encrypted, and are refused where a package has some.
func carry(ctx context.Context, r *gitrepo.Repo, from, dir string) error {
	if err := copyConfig(ctx, r, from, dir, `^(filter|lfs)\.`); err != nil {
		return err
	}
	objects := filepath.Join(from, "lfs")
	if _, err := os.Stat(objects); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := gitrepo.At(r.Runner, dir).Ask(ctx, "config", "--local", "--", "lfs.storage", objects); err != nil {
		return git.Failed(err, "telling the clone %s where Git LFS has its files", dir)
	}
	return nil
}

// copyConfig takes settings of one repository over to another one; never the filter of git-crypt.
func copyConfig(ctx context.Context, r *gitrepo.Repo, from, dir, pattern string) error {
	clone := gitrepo.At(r.Runner, dir)
	out, _, err := r.Answer(ctx, "config", "--file="+filepath.Join(from, "config"), "--includes", "--null", "--get-regexp", "--", pattern)
	if err != nil {
		return git.Failed(err, "reading the settings of %s", r.Top)
	}
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, ok := strings.Cut(kv, "\n")
		if !ok || strings.HasPrefix(key, "filter.git-crypt") {
			continue
		}
		if _, err := clone.Ask(ctx, "config", "--local", "--add", "--", key, value); err != nil {
			return git.Failed(err, "taking %s over to the clone %s", key, dir)
		}
	}
	return nil
}

// checkOut checks a commit out in a fresh clone. Where a filter fails, Git LFS is asked to leave the pointers of files that it
// cannot get: a package may do without them, and [lacking.Find] names those that one has.
func checkOut(ctx context.Context, r *gitrepo.Repo, commit string) error {
	if err := git.NoOption(commit); err != nil {
		return err
	}
	args := []string{"checkout", "--quiet", "--force", "--detach", commit}
	_, err := r.Talk(ctx, git.Call{Args: args})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, again := r.Talk(ctx, git.Call{Args: args, Set: []string{"GIT_LFS_SKIP_SMUDGE=1"}}); again == nil {
		return nil
	}
	return err
}
