package gitrepo

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// CommitFrom makes a commit on top of base in which files, by their paths from Top, are as `git add` would take them from below dir, a checkout of base:
// through the filters that its .gitattributes and the settings of the repository say. Work tree, index and branches stay as they are, and no hook is called:
// the commit is on no branch. It is signed where git is told to sign commits. message is told the hash of the commit's tree.
func (r *Repo) CommitFrom(ctx context.Context, base, dir string, files []string, message func(tree string) string) (string, error) {
	tree, err := r.treeFrom(ctx, base, dir, files)
	if err != nil {
		return "", git.Failed(err, "writing what is committed on %s", git.Short(base))
	}
	sign, _, err := r.Answer(ctx, "config", "--type=bool", "--get", "--", "commit.gpgSign")
	if err != nil {
		return "", git.Failed(err, "asking git whether commits are signed")
	}
	args := []string{"commit-tree", tree, "-p", base}
	if sign == "true" {
		args = []string{"commit-tree", "-S", tree, "-p", base}
	}
	made, err := r.Call(ctx, git.Call{Args: args, Stdin: message(tree), Own: true, Asks: true})
	if err != nil {
		return "", git.Failed(err, "committing on %s", git.Short(base))
	}
	return made, nil
}

// treeFrom writes the tree of base with those files in it.
func (r *Repo) treeFrom(ctx context.Context, base, dir string, files []string) (string, error) {
	tmp, remove, err := scratch.Make("", "commit-")
	if err != nil {
		return "", err
	}
	defer remove() // what stays, the next run removes
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
			Settings: append([]string{"core.fileMode=false"}, harmless...), // a file keeps its mode, and a new one is a plain file
		},
	} {
		if _, err := r.Call(ctx, c); err != nil {
			return "", err
		}
	}
	return r.Call(ctx, git.Call{Args: []string{"write-tree"}, Set: inside})
}

// FirstParents are the commits of a branch that leads to head and that base does not have, the oldest first: each was the end of the branch.
func (r *Repo) FirstParents(ctx context.Context, base, head string) ([]string, error) {
	out, err := r.Ask(ctx, "rev-list", "--reverse", "--first-parent", "--end-of-options", base+".."+head, "--")
	if err != nil {
		return nil, git.Failed(err, "reading the history from %s to %s", git.Short(base), git.Short(head))
	}
	return strings.Fields(out), nil
}

// MergeBase is the newest commit that two have in common; "" where there is none.
func (r *Repo) MergeBase(ctx context.Context, one, other string) (string, error) {
	out, there, err := r.Answer(ctx, "merge-base", "--end-of-options", one, other)
	if err != nil {
		return "", git.Failed(err, "looking for what %s and %s have in common", git.Short(one), git.Short(other))
	}
	if !there {
		return "", nil
	}
	return out, nil
}

// Patch is what differs between two commits in files, or in all where none is named: a line for each that goes ("-…") or comes ("+…"), below the lines
// that begin with "diff --git", "---" and "+++" and name the file. Places are not in it.
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
		return "", git.Failed(err, "comparing %s with %s", git.Short(one), git.Short(other))
	}
	return withoutPlaces(out), nil
}

// withoutPlaces is a patch without what depends on where in a file a change is.
func withoutPlaces(patch string) string {
	var kept strings.Builder
	for line := range strings.Lines(patch) {
		if !strings.HasPrefix(line, "@@ ") && !strings.HasPrefix(line, "index ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
