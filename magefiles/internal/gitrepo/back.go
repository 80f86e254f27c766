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
		return r.Refusal(ctx, err, "removing the tag %s", name)
	}
	return nil
}

// ResetTo resets the branch and the work tree to a commit. Uncommitted changes are preserved, and staged changes remain staged. If a change conflicts
// with the reset, ResetTo changes nothing. If it was killed, running it again completes the reset.
func (r *Repo) ResetTo(ctx context.Context, commit string) error {
	err := r.readTree(ctx, commit)
	if err == nil { // `git reset --keep` would do both, but it unstages changes
		_, err = r.Call(ctx, git.Call{Args: []string{"reset", "--quiet", "--soft", commit}, Own: true, Asks: true, Settings: harmless})
	}
	if err != nil {
		return r.Refusal(ctx, err, "going back to %s", git.Short(commit))
	}
	return nil
}

// MayGoBack reports whether ResetTo would preserve the uncommitted changes.
func (r *Repo) MayGoBack(ctx context.Context, commit string) (bool, error) {
	err := r.readTree(ctx, commit, "--dry-run")
	if err == nil || ctx.Err() != nil {
		return err == nil, err
	}
	//lint:ignore nilerr the refusal by git is the answer
	return false, nil
}

// readTree updates the index and the work tree from HEAD to another commit. It keeps changes to files that are the same in both commits.
func (r *Repo) readTree(ctx context.Context, commit string, flags ...string) error {
	if err := git.NoOption(commit); err != nil {
		return err
	}
	_, _, err := r.Answer(ctx, "update-index", "-q", "--refresh") // otherwise a file that was rewritten with the same content counts as changed
	if err != nil {
		return err
	}
	_, err = r.Call(ctx, git.Call{Args: slices.Concat([]string{"read-tree", "-m", "-u", "--no-recurse-submodules"}, flags, []string{"HEAD", commit}), Own: true, Settings: harmless})
	return err
}

// IsUnreverted reports whether the index matches the tree of the commit's parent. That is the state after a revert of the last commit was killed
// before it committed.
func (r *Repo) IsUnreverted(ctx context.Context, commit string) (bool, error) {
	parent, err := r.Parent(ctx, commit)
	if err != nil || parent == "" {
		return false, err
	}
	return r.indexIs(ctx, parent)
}

// Revert makes a commit that reverts the given commit, and returns the new commit. On failure it restores the index and the work tree, because git
// would leave the files reverted but not committed. If a killed run has left the files in that state, Revert first restores them.
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
		return "", git.Failure(err, "looking at the index of %s", r.Top)
	}
	if _, err := r.Call(ctx, git.Call{Args: []string{"revert", "--no-edit", commit}, Own: true, Asks: true, Settings: settings}); err != nil {
		after := context.WithoutCancel(ctx)
		_ = r.Run(after, "", "revert", "--abort") // there may be no revert to abort
		if clean {                                // otherwise the user has staged changes, and git has refused to start
			_ = r.restoreCommitted(after)
		}
		return "", r.Refusal(ctx, err, "reverting %s", git.Short(commit))
	}
	return r.Resolve(ctx, "HEAD")
}

// Reverts reports whether this commit was made by Revert for the commit `hash`. It looks for the line that git writes with the full hash. Revert
// disables the settings that would change that line.
func (c Commit) Reverts(hash string) bool {
	return strings.Contains(c.Body, "This reverts commit "+hash)
}

// indexIs reports whether the index matches a commit's tree.
func (r *Repo) indexIs(ctx context.Context, commit string) (bool, error) {
	_, is, err := r.Answer(ctx, "diff-index", "--cached", "--quiet", commit, "--")
	return is, err
}

// unrevert cleans up after a revert of the last commit that was killed before it committed. In that state the index matches the parent commit, so no
// work is lost.
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
	return true, r.restoreCommitted(ctx)
}

// restoreCommitted resets the index, and all files that differ between the index and the last commit. It keeps unstaged changes.
func (r *Repo) restoreCommitted(ctx context.Context) error {
	_, err := r.Call(ctx, git.Call{Args: []string{"reset", "--quiet", "--merge", "--no-recurse-submodules", "HEAD"}, Own: true, Settings: harmless})
	return err
}
