package gitrepo

import (
	"bytes"
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// ChangedBetween returns the files that differ between two commits, relative to Top, in git's order. A renamed file counts as two files.
func (r *Repo) ChangedBetween(ctx context.Context, one, other string) ([]string, error) {
	out, err := r.Ask(ctx, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--end-of-options", one, other, "--")
	if err != nil {
		return nil, git.Failure(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return splitNul(out), nil
}

// FilesOf returns the files in a commit, relative to Top. If folders are given, only files below them are returned.
func (r *Repo) FilesOf(ctx context.Context, commit string, folders ...string) ([]string, error) {
	out, err := r.Ask(ctx, append([]string{"ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--"}, folders...)...)
	if err != nil {
		return nil, git.Failure(err, "listing the files of %s", git.Short(commit))
	}
	return splitNul(out), nil
}

func splitNul(out string) []string {
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 })
}

// Contents returns the contents of files in a commit. Paths are relative to Top. The content is nil if the commit lacks the file, or if the path
// contains a newline, because git cat-file reads one name per line.
func (r *Repo) Contents(ctx context.Context, commit string, files ...string) (all [][]byte, err error) {
	var asked strings.Builder
	for _, f := range files {
		if !strings.Contains(f, "\n") {
			asked.WriteString(commit + ":" + f + "\n")
		}
	}
	var out bytes.Buffer
	if _, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch"}, Stdin: asked.String(), Out: &out}); err != nil {
		return nil, git.Failure(err, "reading files of %s", git.Short(commit))
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

// MessageOf returns the message of a commit.
func (r *Repo) MessageOf(ctx context.Context, commit string) (string, error) {
	out, err := r.Ask(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%B", "--end-of-options", commit, "--")
	if err != nil {
		return "", git.Failure(err, "reading the message of %s", git.Short(commit))
	}
	return out, nil
}

// Unpushed returns commit and its ancestors that are on no remote-tracking branch, newest first.
func (r *Repo) Unpushed(ctx context.Context, commit string) ([]string, error) {
	out, err := r.Ask(ctx, "rev-list", commit, "--not", "--remotes", "--")
	if err != nil {
		return nil, git.Failure(err, "looking for the commits of %s that are not pushed", git.Short(commit))
	}
	return strings.Fields(out), nil
}
