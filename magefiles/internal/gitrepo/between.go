package gitrepo

import (
	"bytes"
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Between are the files that differ between two commits, by their paths from Top, in git's order. A file that was moved is two of them.
func (r *Repo) Between(ctx context.Context, one, other string) ([]string, error) {
	out, err := r.Ask(ctx, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--end-of-options", one, other, "--")
	if err != nil {
		return nil, git.Failed(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return splitNul(out), nil
}

// FilesOf are the files of a commit, by their paths from Top; those below one of the folders, if any is named.
func (r *Repo) FilesOf(ctx context.Context, commit string, folders ...string) ([]string, error) {
	out, err := r.Ask(ctx, append([]string{"ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--"}, folders...)...)
	if err != nil {
		return nil, git.Failed(err, "listing the files of %s", git.Short(commit))
	}
	return splitNul(out), nil
}

func splitNul(out string) []string {
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 })
}

// Contents are what a commit has of files, by their paths from Top. One that is not there has no bytes, and neither has one with a line end in its name,
// which git cannot be asked for.
func (r *Repo) Contents(ctx context.Context, commit string, files ...string) (all [][]byte, err error) {
	var asked strings.Builder
	for _, f := range files {
		if !strings.Contains(f, "\n") {
			asked.WriteString(commit + ":" + f + "\n")
		}
	}
	var out bytes.Buffer
	if _, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch"}, Stdin: asked.String(), Out: &out}); err != nil {
		return nil, git.Failed(err, "reading files of %s", git.Short(commit))
	}
	for _, f := range files {
		var text []byte
		if !strings.Contains(f, "\n") {
			text = nextBlob(&out)
		}
		all = append(all, text)
	}
	return all, nil
}

// MessageOf is the message of a commit.
func (r *Repo) MessageOf(ctx context.Context, commit string) (string, error) {
	out, err := r.Ask(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%B", "--end-of-options", commit, "--")
	if err != nil {
		return "", git.Failed(err, "reading the message of %s", git.Short(commit))
	}
	return out, nil
}

// Unpushed are the commits that lead to one and that no branch of a remote has, as far as this clone knows, the newest first.
func (r *Repo) Unpushed(ctx context.Context, commit string) ([]string, error) {
	out, err := r.Ask(ctx, "rev-list", commit, "--not", "--remotes", "--")
	if err != nil {
		return nil, git.Failed(err, "looking for what of %s is not pushed", git.Short(commit))
	}
	return strings.Fields(out), nil
}
