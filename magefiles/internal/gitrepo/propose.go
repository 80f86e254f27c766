package gitrepo

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// CommitFrom makes a commit on top of base that is on no branch. It takes the given files, relative to Top, from dir, a checkout of base, and applies
// the same filters as `git add`. The work tree, the index and the branches do not change, and no hooks run. The commit is signed if git is configured
// to sign commits. `message` is called with the hash of the commit's tree.
func (r *Repo) CommitFrom(ctx context.Context, base, dir string, files []string, message func(tree string) string) (string, error) {
	tree, err := r.treeFrom(ctx, base, dir, files)
	if err != nil {
		return "", git.Failure(err, "writing the files of the new commit on %s", git.Short(base))
	}
	sign, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "--", "commit.gpgSign")
	if err != nil {
		return "", git.Failure(err, "asking git whether commits are signed")
	}
	args := []string{"commit-tree", tree, "-p", base}
	if sign == "true" {
		args = []string{"commit-tree", "-S", tree, "-p", base}
	}
	made, err := r.Call(ctx, git.Call{Args: args, Stdin: message(tree), Own: true, Asks: true})
	if err != nil {
		return "", git.Failure(err, "committing on %s", git.Short(base))
	}
	return made, nil
}

// treeFrom writes a tree like `base`, but with the given files from `dir`, and returns the hash of the tree.
func (r *Repo) treeFrom(ctx context.Context, base, dir string, files []string) (string, error) {
	tmp, remove, err := scratch.Make("", "commit-")
	if err != nil {
		return "", err
	}
	defer remove() // if that fails, the next run removes it
	var paths strings.Builder
	for _, f := range files {
		paths.WriteString(path.Clean(f) + "\x00")
	}
	inside := []string{"GIT_INDEX_FILE=" + filepath.Join(tmp, "index"), "GIT_WORK_TREE=" + dir, "GIT_DIR=" + r.Dir}
	for _, c := range []git.Call{
		{Args: []string{"read-tree", "--end-of-options", base}, Set: inside},
		{
			Args:     []string{"update-index", "--add", "-z", "--stdin"},
			Stdin:    paths.String(),
			Set:      inside,
			Settings: append([]string{"core.fileMode=false"}, harmless...), // existing files keep their mode, and new files are not executable
		},
	} {
		if _, err := r.Call(ctx, c); err != nil {
			return "", err
		}
	}
	return r.Call(ctx, git.Call{Args: []string{"write-tree"}, Set: inside})
}

// FirstParents returns the commits of head's branch that base does not contain, oldest first. It follows first parents, so each of these commits was
// once the branch tip.
func (r *Repo) FirstParents(ctx context.Context, base, head string) ([]string, error) {
	out, err := r.Ask(ctx, "rev-list", "--reverse", "--first-parent", "--end-of-options", base+".."+head, "--")
	if err != nil {
		return nil, git.Failure(err, "reading the history from %s to %s", git.Short(base), git.Short(head))
	}
	return strings.Fields(out), nil
}

// MergeBase returns the best common ancestor of two commits, or "" if there is none.
func (r *Repo) MergeBase(ctx context.Context, one, other string) (string, error) {
	out, there, err := r.Answer(ctx, "merge-base", "--end-of-options", one, other)
	if err != nil {
		return "", git.Failure(err, "looking for what %s and %s have in common", git.Short(one), git.Short(other))
	}
	if !there {
		return "", nil
	}
	return out, nil
}

// Patch returns the differences between two commits, limited to the given files if there are any. The result is a diff with removed ("-…") and added
// ("+…") lines below each file's "diff --git", "---" and "+++" lines, but without line numbers.
func (r *Repo) Patch(ctx context.Context, one, other string, files ...string) (string, error) {
	specs := make([]string, 0, len(files))
	for _, f := range files {
		specs = append(specs, ":(top,literal)"+f)
	}
	out, err := r.Ask(ctx, append([]string{
		"diff-tree", "-r", "-p", "-U0", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color",
		"--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options", one, other, "--",
	}, specs...)...)
	if err != nil {
		return "", git.Failure(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return withoutPlaces(out), nil
}

// withoutPlaces removes the lines of a patch that depend on the position of the change: hunk headers and blob hashes.
func withoutPlaces(patch string) string {
	var kept strings.Builder
	for line := range strings.Lines(patch) {
		if !strings.HasPrefix(line, "@@ ") && !strings.HasPrefix(line, "index ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
