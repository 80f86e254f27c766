package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ExportSome is Export for those files of a commit alone that are wanted, by their path relative to Top. Nobody else's
// files are read, so that neither a large repository nor one whose files lie elsewhere takes its time.
func (r *Repo) ExportSome(ctx context.Context, commit, dir string, want func(path string) bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index := filepath.Join(dir, ".index")
	defer os.Remove(index)
	git := func(stdin string, args ...string) (string, error) {
		return command.Output(ctx, r.runner, command.Cmd{
			Name: "env", Args: append([]string{"GIT_INDEX_FILE=" + index, "git", "-c", "core.splitIndex=false", "-c", "core.fsmonitor=false"}, args...),
			Dir: r.Top, Stdin: strings.NewReader(stdin), Gentle: true,
		})
	}
	_, err := git("", "read-tree", commit)
	var all string
	if err == nil {
		all, err = git("", "ls-files", "-z")
	}
	var files strings.Builder
	for name := range strings.SplitSeq(all, "\x00") {
		if name != "" && want(name) {
			files.WriteString(name + "\x00")
		}
	}
	if err == nil {
		_, err = git(files.String(), "checkout-index", "-z", "--stdin", "--prefix="+dir+"/")
	}
	if err != nil {
		return r.asked(err, "run `git fetch --tags`, and run it again", "reading files of %s", short(commit))
	}
	return nil
}

// LineOrigin returns the commit that gave a line of a file, as it is in a commit, its text there: of the commits that were
// each the end of the branch, so that for what came by a pull request it is the merge.
func (r *Repo) LineOrigin(ctx context.Context, commit, path string, line int) (string, error) {
	out, err := r.git(ctx, "-c", "blame.ignoreRevsFile=", "blame", "--first-parent", "--porcelain", "-L", fmt.Sprintf("%d,%d", line, line), commit, "--", path)
	if err != nil {
		return "", r.asked(err, "run `git fetch --tags`, and run it again", "asking git who wrote line %d of %s", line, path)
	}
	hash, _, _ := strings.Cut(out, " ")
	return hash, nil
}

// Parent returns the first parent of a commit; "" where it has none here.
func (r *Repo) Parent(ctx context.Context, commit string) (string, error) {
	out, err := r.git(ctx, "rev-list", "--max-count=1", "--parents", commit, "--")
	if err != nil {
		return "", r.asked(err, "run `git fetch --tags`, and run it again", "reading the commit %s", short(commit))
	}
	if f := strings.Fields(out); len(f) > 1 {
		return f[1], nil
	}
	return "", nil
}

// asked is the error of a question to git, with git's own words.
func (r *Repo) asked(err error, next, format string, args ...any) error {
	var exit *command.ExitError
	told := operr.New(next, format+": %w", append(args, err)...)
	if errors.As(err, &exit) {
		return told.WithDetail(exit.Tail)
	}
	return told
}
