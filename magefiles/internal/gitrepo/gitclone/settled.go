package gitclone

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Settle has git take the files of a clone of ours for unchanged from now on, whatever is written into them: builds write their
// version into files that are committed, and ask git again for the version after that.
func Settle(ctx context.Context, r *gitrepo.Repo) error {
	return settle(ctx, r, nil)
}

// SettleRest is Settle for a clone that changes were brought to: these stay changes, and all other files are taken for unchanged.
func SettleRest(ctx context.Context, r *gitrepo.Repo) error {
	changes, err := r.StatusOf(ctx, nil, "--untracked-files=no")
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, c := range changes {
		changed[c.Path] = true
	}
	return settle(ctx, r, changed)
}

// settle is Settle for all files but those given.
func settle(ctx context.Context, r *gitrepo.Repo, but map[string]bool) error {
	files, err := r.Ask(ctx, "ls-files", "-z")
	if err == nil {
		rest := slices.DeleteFunc(strings.SplitAfter(files, "\x00"), func(name string) bool { return but[strings.TrimSuffix(name, "\x00")] })
		_, err = r.Feed(ctx, strings.Join(rest, ""), "update-index", "--assume-unchanged", "-z", "--stdin")
	}
	if err != nil {
		return git.Failed(err, "telling git that nothing is changed in %s", r.Top)
	}
	return nil
}
