package e2e_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUndoKeepsOthersCommits checks that undo does not revert other users' commits, even if they make the same or nearly the same changes as the
// release's commit.
func TestUndoKeepsOthersCommits(t *testing.T) {
	bump := func(r *releasing, dir string) {
		for _, f := range strings.Fields(git(r.t, r.dir, "diff", "--name-only", r.base, "HEAD")) {
			write(r.t, dir, f, readFile(r.t, r.dir, f))
		}
	}
	comment := func(r *releasing, dir string) {
		for _, f := range strings.Fields(git(r.t, r.dir, "diff", "--name-only", r.base, "HEAD", "--", "*.toml")) {
			write(r.t, dir, f, readFile(r.t, dir, f)+"\n# theirs\n")
		}
	}
	for name, c := range map[string]struct {
		colleague, then func(r *releasing, dir string)
		as              string // author of the colleague's commit; defaults to another user
		stops           bool
		fails           bool // git cannot revert the commit, and the error says how to do it by hand
	}{
		"a colleague made the same bump, and the rebase left ours out": {colleague: bump, stops: true},
		"someone of the same name made the same bump at another time":  {colleague: bump, as: "a tester <tester@example.invalid>", stops: true},
		"a colleague changed the same files below ours":                {colleague: comment},
		"someone has raised the versions since": {
			colleague: comment,
			then: func(r *releasing, dir string) {
				for _, f := range strings.Fields(git(r.t, r.dir, "diff", "--name-only", r.base, "HEAD")) {
					write(r.t, dir, f, strings.ReplaceAll(readFile(r.t, dir, f), "0.1.7", "0.3.0"))
				}
				git(r.t, dir, "commit", "-q", "-am", "chore: 0.3.0")
			},
			fails: true,
		},
		"squashed with own work": {
			then: func(r *releasing, dir string) {
				write(r.t, dir, "packages/core/week.txt", "a week\n")
				git(r.t, dir, "add", "-A")
				git(r.t, dir, "commit", "-q", "--amend", "--no-edit")
			},
			stops: true,
		},
		"the message was amended": {then: func(r *releasing, dir string) {
			git(r.t, dir, "commit", "-q", "--amend", "-m", "build: something else")
		}},
		"cherry-picked onto what a colleague pushed": {
			colleague: func(r *releasing, dir string) { write(r.t, dir, "packages/core/one.txt", "one\n") },
			then: func(r *releasing, dir string) {
				ours := git(r.t, dir, "rev-parse", "HEAD")
				git(r.t, dir, "reset", "-q", "--hard", "origin/main")
				git(r.t, dir, "cherry-pick", ours)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.stopped("tag")
			theirs := ""
			if c.colleague != nil {
				shell(t, r.colleague("one", func(dir string) {
					c.colleague(r, dir)
					git(t, dir, "add", "-A")
					git(t, dir, "commit", "-q", "-m", "feat: theirs", "--author="+cmp.Or(c.as, "one <one@example.invalid>"))
				}, "HEAD:refs/heads/main"))
				theirs = git(t, r.dir, "--git-dir="+r.world.Remote, "rev-parse", "main")
				git(t, r.dir, "pull", "-q", "--rebase")
			}
			if c.then != nil {
				c.then(r, r.dir)
			}
			before := r.mine()
			if c.stops {
				r.refused(3, "nothing was changed", "undo", "-yes")
				require.Equal(t, before, r.mine())
				return
			}
			if c.fails {
				require.Contains(t, r.refused(1, "nothing was changed", "undo", "-yes"), "`git revert ")
				require.Equal(t, before, r.mine())
				return
			}
			r.ok("undo", "-yes")
			require.NotContains(t, readFile(t, r.dir, "packages/core/pixi.toml"), "0.1.7")
			if theirs != "" {
				require.Equal(t, theirs, git(t, r.dir, "rev-parse", "HEAD"))
			}
		})
	}
}
