package gitclone

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Settle makes git treat the files in a clone as unchanged, whatever is written to them. Builds write their version to tracked files, and then run
// git again to determine the version.
func Settle(ctx context.Context, r *gitrepo.Repo) error {
	return settle(ctx, r, nil)
}

// SettleRest is like Settle for a clone to which changes were copied. These files still count as changed.
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

// settle is like Settle, but skips the given files.
func settle(ctx context.Context, r *gitrepo.Repo, but map[string]bool) error {
	files, err := r.Ask(ctx, "ls-files", "-z")
	if err == nil {
		rest := slices.DeleteFunc(strings.SplitAfter(files, "\x00"), func(name string) bool { return but[strings.TrimSuffix(name, "\x00")] })
		_, err = r.Feed(ctx, strings.Join(rest, ""), "update-index", "--assume-unchanged", "-z", "--stdin")
	}
	if err != nil {
		return git.Failure(err, "telling git that nothing is changed in %s", r.Top)
	}
	return nil
}
