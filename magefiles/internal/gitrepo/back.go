package gitrepo

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// DeleteTag removes a tag from the clone.
func (r *Repo) DeleteTag(ctx context.Context, name string) error {
	if err := r.Run(ctx, "", "tag", "--delete", "--", name); err != nil {
		return r.Refused(ctx, err, "removing the tag %s", name)
	}
	return nil
}

// Back takes branch and work tree back to a commit. What is not committed stays, and is staged as it was; or, where it is in the way, all stays. Run
// again after a kill, it ends what was begun.
func (r *Repo) Back(ctx context.Context, commit string) error {
	err := r.readTree(ctx, commit)
	if err == nil { // `git reset --keep` would do both, and forget what is staged
		_, err = r.Call(ctx, git.Call{Args: []string{"reset", "--quiet", "--soft", commit}, Own: true, Asks: true, Settings: harmless})
	}
	if err != nil {
		return r.Refused(ctx, err, "going back to %s", git.Short(commit))
	}
	return nil
}

// MayGoBack reports whether Back would leave what is not committed as it is.
func (r *Repo) MayGoBack(ctx context.Context, commit string) (bool, error) {
	err := r.readTree(ctx, commit, "--dry-run")
	if err == nil || ctx.Err() != nil {
		return err == nil, err
	}
	//lint:ignore nilerr git refuses it
	return false, nil
}

// readTree brings index and work tree from the commit that is checked out to another one, with what is changed in files that are the same in both.
func (r *Repo) readTree(ctx context.Context, commit string, flags ...string) error {
	if err := git.NoOption(commit); err != nil {
		return err
	}
	_, _, err := r.Answer(ctx, "update-index", "-q", "--refresh") // else a file that was written again with the same bytes counts as changed
	if err != nil {
		return err
	}
	_, err = r.Call(ctx, git.Call{Args: slices.Concat([]string{"read-tree", "-m", "-u", "--no-recurse-submodules"}, flags, []string{"HEAD", commit}), Own: true, Settings: harmless})
	return err
}

// IsUnreverted reports whether the index is what a revert of the last commit has left that was killed before it was committed.
func (r *Repo) IsUnreverted(ctx context.Context, commit string) (bool, error) {
	parent, err := r.Parent(ctx, commit)
	if err != nil || parent == "" {
		return false, err
	}
	return r.indexIs(ctx, parent)
}

// Revert makes a commit that takes another one back, and returns it. Where that fails, whoever refused it, index and work tree are as before:
// git itself leaves the files taken back, and no commit. What a run that was killed has left so is put away first.
func (r *Repo) Revert(ctx context.Context, commit string) (string, error) {
	if err := git.NoOption(commit); err != nil {
		return "", err
	}
	settings := slices.Concat(harmless, []string{
		"revert.reference=false", "rerere.enabled=false", "merge.renames=true", "merge.directoryRenames=conflict", "merge.renormalize=false", "commit.verbose=false",
	})
	clean, err := r.indexIs(ctx, "HEAD")
	if err == nil && !clean {
		clean, err = r.unrevert(ctx, commit)
	}
	if err != nil {
		return "", git.Failed(err, "looking at the index of %s", r.Top)
	}
	if _, err := r.Call(ctx, git.Call{Args: []string{"revert", "--no-edit", commit}, Own: true, Asks: true, Settings: settings}); err != nil {
		after := context.WithoutCancel(ctx)
		_ = r.Run(after, "", "revert", "--abort") // it may not have begun
		if clean {                                // else what is staged is somebody's, and git has refused to touch it
			_ = r.asCommitted(after)
		}
		return "", r.Refused(ctx, err, "reverting %s", git.Short(commit))
	}
	return r.Resolve(ctx, "HEAD")
}

// Reverts reports whether a commit was made by Revert to take another one back, which it names by its whole hash: that sentence is git's,
// and Revert sees to it that no setting has another one.
func (c Commit) Reverts(hash string) bool {
	return strings.Contains(c.Body, "This reverts commit "+hash)
}

// indexIs reports whether the index has what a commit has.
func (r *Repo) indexIs(ctx context.Context, commit string) (bool, error) {
	_, is, err := r.Answer(ctx, "diff-index", "--cached", "--quiet", commit, "--")
	return is, err
}

// unrevert puts away what a revert of the last commit has left that was killed before it was committed: the index is that of the commit
// before, which holds it. It is no loss, then.
func (r *Repo) unrevert(ctx context.Context, commit string) (done bool, err error) {
	hash, err := r.Resolve(ctx, commit)
	if err != nil {
		return false, err
	}
	head, err := r.Resolve(ctx, "HEAD")
	if err != nil || head != hash {
		return false, err
	}
	parent, err := r.Parent(ctx, hash)
	if err != nil || parent == "" {
		return false, err
	}
	if left, err := r.indexIs(ctx, parent); err != nil || !left {
		return false, err
	}
	return true, r.asCommitted(ctx)
}

// git.AsCommitted has the index, and the files that it differs in, as the last commit has them. What is changed and not staged stays.
func (r *Repo) asCommitted(ctx context.Context) error {
	_, err := r.Call(ctx, git.Call{Args: []string{"reset", "--quiet", "--merge", "--no-recurse-submodules", "HEAD"}, Own: true, Settings: harmless})
	return err
}
