package gitrepo

import (
	"context"
	"slices"
	"strings"
)

// Settle has git take the files of a clone of ours for unchanged from now on, whatever is written into them: builds write their
// version into files that are committed, and ask git again for the version after that.
func (r *Repo) Settle(ctx context.Context) error {
	return r.settle(ctx, nil)
}

// SettleRest is Settle for a clone that changes were brought to: these stay changes, and all other files are taken for unchanged.
func (r *Repo) SettleRest(ctx context.Context) error {
	changes, err := r.statusOf(ctx, nil, "--untracked-files=no")
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, c := range changes {
		changed[c.path] = true
	}
	return r.settle(ctx, changed)
}

// settle is Settle for all files but those given.
func (r *Repo) settle(ctx context.Context, but map[string]bool) error {
	files, err := r.git(ctx, "ls-files", "-z")
	if err == nil {
		rest := slices.DeleteFunc(strings.SplitAfter(files, "\x00"), func(name string) bool { return but[strings.TrimSuffix(name, "\x00")] })
		_, err = r.fed(ctx, strings.Join(rest, ""), "update-index", "--assume-unchanged", "-z", "--stdin")
	}
	if err != nil {
		return failed(err, "telling git that nothing is changed in %s", r.Top)
	}
	return nil
}
