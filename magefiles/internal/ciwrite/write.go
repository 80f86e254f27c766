package ciwrite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Result is what was done, or would be.
type Result struct {
	Files   []File `json:"files"`
	Written bool   `json:"written"` // those that Writes says are written now
}

// Write writes the files of a workspace that nobody has changed. dry only says what it would do.
func Write(ctx context.Context, r command.Runner, w *workspace.Workspace, dry bool) (Result, error) {
	repo, err := gitrepo.Open(ctx, r, w.Root)
	if err != nil {
		return Result{}, err
	}
	branch, err := DefaultBranch(ctx, repo, w)
	if err != nil {
		return Result{}, err
	}
	files, err := Plan(w, Settings{
		Top:    repo.Top,
		Branch: branch,
	})
	if err != nil || dry {
		return Result{Files: files}, err
	}
	return Result{
		Files:   files,
		Written: true,
	}, Save(repo.Top, files)
}

// Save writes those of some files whose state says so.
func Save(top string, files []File) (err error) {
	dir, err := beneath.Open(top)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	for _, f := range files {
		if !f.State.Writes() {
			continue
		}
		if err := dir.Write(f.Path, []byte(f.New), 0o644); err != nil {
			return refused(f.Path, err)
		}
	}
	return nil
}

// refused is the error of a file that is not read, or not written.
func refused(file string, err error) error {
	return operr.New("put a file of the repository's own in its place, in folders that are no links, and run it again", "the workflow file %s: %w", file, err)
}

// DefaultBranch is the remote's as the clone knows it, or the one that releases are made from; "" where neither is known and a ci.yml may say it. A
// clone of a new repository has the one that is checked out.
func DefaultBranch(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (string, error) {
	remote := w.Config.Remote
	usual, known, err := repo.Answer(ctx, "symbolic-ref", "--quiet", "--short", "refs/remotes/"+remote+"/HEAD")
	if err != nil {
		return "", operr.New("see that `remote` in [tool.release] is the name of a remote, such as origin, and no address", "asking git for the default branch of the remote %q: %w", remote, err)
	}
	if known {
		return strings.TrimPrefix(strings.TrimSpace(usual), remote+"/"), nil
	}
	if w.Config.Branch != "" || branchOf(repo.Top) != "" {
		return w.Config.Branch, nil
	}
	here, on, err := repo.Answer(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil || !on {
		return "", err
	}
	return strings.TrimSpace(here), nil
}

// Stale is a sentence about files that were written and have fallen behind; "" where there is none.
func Stale(ctx context.Context, r command.Runner, w *workspace.Workspace) (string, error) {
	result, err := Write(ctx, r, w, true)
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range result.Files {
		if strings.HasPrefix(f.Old, begins) && slices.Contains([]State{Behind, Foreign, Over}, f.State) {
			names = append(names, f.Path)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return "○ what `mage ci:write` would write has changed since " + strings.Join(names, ", ") + ": `mage ci:write -diff` shows it", nil
}

// says is what a person is told of each state: before it is written, and after.
var says = map[State][2]string{
	Absent:  {"would be written", "written"},
	Same:    {"as it would be written", "as it was"},
	Pins:    {"would get newer commits of actions", "has newer commits of actions"},
	Behind:  {"would be written again", "written again: it had fallen behind"},
	Changed: {"yours, and nothing has changed that it was written from", "yours: left alone, and nothing has changed that it was written from"},
	Foreign: {"yours, and something else would be written now", "yours: left alone, and something else would be written now"},
	Over:    {"of no use any more", "of no use any more, and left alone"},
}

// Show shows what was done, and the difference of each file that is not as it would be written: of all of them where nothing was written.
func (r Result) Show(v *view.View) {
	var rows [][]string
	for _, f := range r.Files {
		text := says[f.State][0]
		if r.Written {
			text = says[f.State][1]
		}
		rows = append(rows, []string{f.Path, text})
	}
	v.Table(nil, rows)
	for _, f := range r.Files {
		if f.State == Changed || f.State == Foreign || !r.Written && (f.State == Behind || f.State == Pins) {
			v.Heading("\n%s", cmp.Or(map[State]string{
				Behind: "What would change in it:",
				Pins:   "What would change in it:",
			}[f.State], "What would be written in its place:"))
			v.Line("%s", strings.TrimSuffix(Diff(f.Path, f.Old, f.New), "\n"))
		}
	}
}

// Refused is an error for files of a person's that something else would be written for, which nothing was done to; nil where there is none.
func (r Result) Refused() error {
	var names, gone []string
	for _, f := range r.Files {
		switch f.State {
		case Foreign:
			names = append(names, f.Path)
		case Over:
			gone = append(gone, f.Path)
		}
	}
	switch {
	case len(names) > 0:
		return operr.NewStopped("take from the difference above what you want, its first line too, by which it counts as looked at; or remove a file and run `mage ci:write` again",
			"%s: a person has changed or made it, and it was left alone", strings.Join(names, ", "))
	case len(gone) > 0:
		return operr.NewStopped("remove it: `git rm "+operr.Words(gone)+"`", "%s was written for what the workspace has no more", strings.Join(gone, ", "))
	}
	return nil
}
