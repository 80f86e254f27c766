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

// carry copies the filters in a repository's own configuration to its clone. Without them, filtered files would be checked out in their stored form.
// The clone shares the repository's Git LFS storage. The git-crypt key is not copied, so encrypted files stay encrypted, and a package that contains
// one is refused.
func carry(ctx context.Context, r *gitrepo.Repo, from, dir string) error {
	if err := copyConfig(ctx, r, from, dir, `^(filter|lfs)\.`); err != nil {
		return err
	}
	objects := filepath.Join(from, "lfs")
	if _, err := os.Stat(objects); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := gitrepo.At(r.Runner, dir).Ask(ctx, "config", "--local", "--", "lfs.storage", objects); err != nil {
		return git.Failure(err, "telling the clone %s where Git LFS has its files", dir)
	}
	return nil
}

// copyConfig copies settings that match a pattern from one repository to another, except git-crypt's filter.
func copyConfig(ctx context.Context, r *gitrepo.Repo, from, dir, pattern string) error {
	clone := gitrepo.At(r.Runner, dir)
	out, _, err := r.Answer(ctx, "config", "--file="+filepath.Join(from, "config"), "--includes", "--null", "--get-regexp", "--", pattern)
	if err != nil {
		return git.Failure(err, "reading the settings of %s", r.Top)
	}
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, ok := strings.Cut(kv, "\n")
		if !ok || strings.HasPrefix(key, "filter.git-crypt") {
			continue
		}
		if _, err := clone.Ask(ctx, "config", "--local", "--add", "--", key, value); err != nil {
			return git.Failure(err, "copying the setting %s to the clone %s", key, dir)
		}
	}
	return nil
}

// checkOut checks out a commit in a new clone. If a filter fails, it retries with Git LFS downloads disabled, which leaves pointers instead of files.
// A package may not need these files. If it does, [lacking.Find] reports them.
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
