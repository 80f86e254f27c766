package gitrepo

import (
	"context"
	"os"
	"path/filepath"
)

// operations lists the git operations that the user must finish or abort. `file` exists in the work tree's git folder while the operation is in
// progress, and `end` has the commands that end it.
var operations = []struct{ file, what, end string }{
	{"MERGE_HEAD", "a merge", "`git commit` or `git merge --abort`"},
	{"rebase-merge", "a rebase", "`git rebase --continue` or `git rebase --abort`"},
	{"rebase-apply", "a rebase or `git am`", "`git rebase --continue` or `git am --continue`, or the same with --abort"},
	{"CHERRY_PICK_HEAD", "a cherry-pick", "`git cherry-pick --continue` or `git cherry-pick --abort`"},
	{"REVERT_HEAD", "a revert", "`git revert --continue` or `git revert --abort`"},
	{"sequencer", "a cherry-pick or revert of several commits", "`git cherry-pick --continue` or `git revert --continue`, or the same with --abort"},
}

// Underway returns the git operation that is in progress in this work tree, such as "a merge", and how to end it, or "" if there is none. A commit
// would become part of that operation, even if no file differs.
func (r *Repo) Underway(_ context.Context) (what, end string) {
	for _, o := range operations {
		if _, err := os.Lstat(filepath.Join(r.Dir, o.file)); err == nil {
			return o.what, o.end
		}
	}
	return "", ""
}
