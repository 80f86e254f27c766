package gitrepo

import (
	"context"
	"os"
	"path/filepath"
)

// operations are what git may be in the middle of, by the file or folder that it keeps for it in a work tree's own folder, and
// how a person ends it.
var operations = []struct{ file, what, end string }{
	{"MERGE_HEAD", "a merge", "`git commit` or `git merge --abort`"},
	{"rebase-merge", "a rebase", "`git rebase --continue` or `git rebase --abort`"},
	{"rebase-apply", "a rebase or `git am`", "`git rebase --continue`, `git am --continue`, or --abort"},
	{"CHERRY_PICK_HEAD", "a cherry-pick", "`git cherry-pick --continue` or --abort"},
	{"REVERT_HEAD", "a revert", "`git revert --continue` or --abort"},
	{"sequencer", "a cherry-pick or revert of several commits", "`git cherry-pick --continue` or `git revert --continue`, or --abort"},
}

// Underway says what git is in the middle of in this work tree, such as "a merge", and how it is ended; "" for nothing. A commit
// would become a part of it, also where no file differs.
func (r *Repo) Underway(_ context.Context) (what, end string) {
	for _, o := range operations {
		if _, err := os.Lstat(filepath.Join(r.Dir, o.file)); err == nil {
			return o.what, o.end
		}
	}
	return "", ""
}
