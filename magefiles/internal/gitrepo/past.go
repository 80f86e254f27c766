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
// each the end of the branch, so that for what came by a pull request it is the merge. It does not ask git blame, which fails
// where blame.ignoreRevsFile names a file that is not there, and passes by commits that such a file names.
func (r *Repo) LineOrigin(ctx context.Context, commit, path string, line int) (string, error) {
	const next = "run `git fetch --tags`, and run it again"
	text, err := r.git(ctx, "cat-file", "blob", commit+":"+path)
	if err != nil {
		return "", r.asked(err, next, "reading %s of %s", path, short(commit))
	}
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return "", operr.New(next, "%s of %s has no line %d", path, short(commit), line)
	}
	wanted, here := lines[line-1], count(lines, lines[line-1])
	for skip, step := 0, 16; ; skip, step = skip+step, step*2 {
		out, err := r.git(ctx, "rev-list", "--first-parent", fmt.Sprintf("--skip=%d", skip), fmt.Sprintf("--max-count=%d", step), commit, "--", ":(top,literal)"+path)
		if err != nil {
			return "", r.asked(err, next, "reading the history of %s", path)
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
			return "", operr.New(next, "the history of %s does not say who wrote line %d", path, line)
		}
	}
}

// lines are those of a file in a commit; none where either is not there.
func (r *Repo) lines(ctx context.Context, commit, path string) ([]string, error) {
	text, err := r.git(ctx, "cat-file", "blob", commit+":"+path)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return nil, nil
	}
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
