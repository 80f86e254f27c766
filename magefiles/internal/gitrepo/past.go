package gitrepo

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// `next` is the next step if a commit, such as the commit of a tag, cannot be read.
const next = "run `git fetch --tags`, then run the command again"

// LineOrigin returns the commit that introduced a line of a file. It follows only first parents, so for a line from a pull request it returns the
// merge. It does not use git blame, because blame skips the commits in blame.ignoreRevsFile, and fails if that file is missing.
func (r *Repo) LineOrigin(ctx context.Context, commit, path string, line int) (string, error) {
	text, err := r.Ask(ctx, "cat-file", "--end-of-options", "blob", commit+":"+path)
	if err != nil {
		return "", operr.New(next, "reading %s in the commit %s: %w", path, git.Short(commit), err)
	}
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return "", operr.New(next, "%s in the commit %s has no line %d", path, git.Short(commit), line)
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
			return "", operr.New(next, "the history of %s does not show which commit wrote line %d", path, line)
		}
	}
}

// `lines` returns a file's lines in a commit, or nil if the file or the commit is missing.
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

// Parent returns the first parent of a commit, or "" if the clone has no parent of it.
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

// Change describes a commit's changes relative to its first parent.
type Change struct {
	Author string // email address of the author
	Date   string // author date in Unix seconds; a rebase, an amend or a cherry-pick does not change it
	Patch  string // the changed lines, without line numbers and blob hashes, which depend on the rest of the file
}

// Change returns the changes of a commit. The patch of a merge is empty.
func (r *Repo) Change(ctx context.Context, commit string) (Change, error) {
	who, err := r.Ask(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%ae%n%at", "--end-of-options", commit, "--")
	var patch string
	if err == nil {
		patch, err = r.Ask(ctx, "diff-tree", "-r", "-p", "-U0", "--root", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color",
			"--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options", commit, "--")
	}
	if err != nil {
		return Change{}, git.Failure(err, "reading what %s changed", git.Short(commit))
	}
	author, date, _ := strings.Cut(who, "\n")
	return Change{Author: author, Date: date, Patch: withoutPlaces(patch)}, nil
}
