package gitrepo

import "context"

// Settle has git take the files of a clone of ours for unchanged from now on, whatever is written into them: builds write their
// version into files that are committed, and ask git again for the version after that.
func (r *Repo) Settle(ctx context.Context) error {
	files, err := r.git(ctx, "ls-files", "-z")
	if err == nil {
		_, err = r.fed(ctx, files, "update-index", "--assume-unchanged", "-z", "--stdin")
	}
	if err != nil {
		return failed(err, "telling git that nothing is changed in %s", r.Top)
	}
	return nil
}
