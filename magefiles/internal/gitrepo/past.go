package gitrepo

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// next is what to do where a commit that a tag names cannot be read.
const next = "run `git fetch --tags`, and run it again"

// LineOrigin returns the commit that gave a line of a file, as it is in a commit, its text there: of the commits that were
// each the end of the branch, so that for what came by a pull request it is the merge. It does not ask git blame, which fails
// where blame.ignoreRevsFile names a file that is not there, and passes by commits that such a file names.
func (r *Repo) LineOrigin(ctx context.Context, commit, path string, line int) (string, error) {
	text, err := r.Ask(ctx, "cat-file", "--end-of-options", "blob", commit+":"+path)
	if err != nil {
		return "", operr.New(next, "reading %s of %s: %w", path, git.Short(commit), err)
	}
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return "", operr.New(next, "%s of %s has no line %d", path, git.Short(commit), line)
	}
	wanted, here := lines[line-1], count(lines, lines[line-1])
	for skip, step := 0, 16; ; skip, step = skip+step, step*2 {
		out, err := r.Ask(ctx, "rev-list", "--first-parent", fmt.Sprintf("--skip=%d", skip), fmt.Sprintf("--max-count=%d", step), "--end-of-options", commit, "--", ":(top,literal)"+path)
		if err != nil {
			return "", operr.New(next, "reading the history of %s: %w", path, err)
		}
		for _, changed := range strings.Fields(out) {
			before, err := r.lines(ctx, changed+"^", path)
			if err != nil {
				return "", err
			}
			there := count(before, wanted)
			if there < here {
				return changed, nil
			}
			here = there
		}
		if len(strings.Fields(out)) < step {
			return "", operr.New(next, "the history of %s does not say which commit wrote line %d", path, line)
		}
	}
}

// lines are those of a file in a commit; none where either is not there.
func (r *Repo) lines(ctx context.Context, commit, path string) ([]string, error) {
	blob, there, err := r.Answer(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", commit+":"+path)
	if !there || err != nil {
		return nil, err
	}
	text, err := r.Ask(ctx, "cat-file", "--end-of-options", "blob", blob)
	return strings.Split(text, "\n"), err
}

func count(lines []string, wanted string) (n int) {
	for _, line := range lines {
		if strings.TrimRight(line, "\r") == strings.TrimRight(wanted, "\r") {
			n++
		}
	}
	return n
}

// Parent returns the first parent of a commit; "" where it has none here.
func (r *Repo) Parent(ctx context.Context, commit string) (string, error) {
	out, err := r.Ask(ctx, "rev-list", "--max-count=1", "--parents", "--end-of-options", commit, "--")
	if err != nil {
		return "", operr.New(next, "reading the commit %s: %w", git.Short(commit), err)
	}
	if f := strings.Fields(out); len(f) > 1 {
		return f[1], nil
	}
	return "", nil
}

// Change is what a commit did to its first parent.
type Change struct {
	Author string // address of whoever wrote it
	Date   string // when, in seconds: a rebase, an amendment and a cherry-pick keep it
	Patch  string // without what depends on where in a file a change is, and on the files' other contents
}

// Change tells what a commit did. Of a merge it tells nothing.
func (r *Repo) Change(ctx context.Context, commit string) (Change, error) {
	who, err := r.Ask(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%ae%n%at", "--end-of-options", commit, "--")
	var patch string
	if err == nil {
		patch, err = r.Ask(ctx, "diff-tree", "-r", "-p", "-U0", "--root", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color",
			"--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options", commit, "--")
	}
	if err != nil {
		return Change{}, git.Failed(err, "reading what %s changed", git.Short(commit))
	}
	author, date, _ := strings.Cut(who, "\n")
	return Change{Author: author, Date: date, Patch: withoutPlaces(patch)}, nil
}
