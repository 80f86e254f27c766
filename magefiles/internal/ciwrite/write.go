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

// Result describes what Write has done, or would do if dry is set.
type Result struct {
	Files   []File `json:"files"`
	Written bool   `json:"written"` // whether the files for which Writes is true have been written
}

// Write generates a workspace's workflow files, except files that the user has edited. If dry is set, it writes nothing.
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

// Save writes the files for which Writes is true.
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
			return refusalError(f.Path, err)
		}
	}
	return nil
}

// refusalError returns the error for a workflow file that cannot be read or written.
func refusalError(file string, err error) error {
	return operr.New("replace this file with a regular file, and each link among its folders with a folder; then run `mage ci:write` again", "cannot use the workflow file %s: %w", file, err)
}

// DefaultBranch returns the remote's default branch as recorded in the clone, or the branch from which releases are made. It returns "" if neither is
// known, but an existing ci.yml may name the branch. For a clone of an empty repository, it returns the current branch.
func DefaultBranch(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (string, error) {
	remote := w.Config.Remote
	usual, known, err := repo.Answer(ctx, "symbolic-ref", "--quiet", "--short", "refs/remotes/"+remote+"/HEAD")
	if err != nil {
		return "", operr.New("check that `remote` in [tool.release] is the name of a remote, such as origin, not a URL", "asking git for the default branch of the remote %q: %w", remote, err)
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

// Stale returns a sentence about generated files that are out of date, or "" if there are none.
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
	return "○ out of date: " + strings.Join(names, ", ") + " (`mage ci:write -diff` shows the changes)", nil
}

// `says` describes each state to the user, before and after writing.
var says = map[State][2]string{
	Absent:  {"would be written", "written"},
	Same:    {"up to date", "up to date"},
	Pins:    {"would get newer commits of actions", "now has newer commits of actions"},
	Behind:  {"would be written again", "written again, because it was out of date"},
	Changed: {"edited by you; the generated text has not changed", "edited by you, so not overwritten; the generated text has not changed"},
	Foreign: {"edited or made by you; the generated text is different now", "edited or made by you, so not overwritten; the generated text is different now"},
	Over:    {"no longer needed", "no longer needed, but not removed"},
}

// Show prints what was done, and a diff for each file that the user has edited. If nothing was written, it also prints a diff for each existing file
// that would change.
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
				Behind: "Changes that `mage ci:write` would make:",
				Pins:   "Changes that `mage ci:write` would make:",
			}[f.State], "Differences between your file and the generated text:"))
			v.Line("%s", strings.TrimSuffix(Diff(f.Path, f.Old, f.New), "\n"))
		}
	}
}

// Next returns the next command to run.
func (r Result) Next() string {
	switch {
	case !slices.ContainsFunc(r.Files, func(f File) bool { return f.State.Writes() }):
		return "`mage ci:triggers`"
	case !r.Written:
		return "`mage ci:write`"
	}
	return "`git add :/.github/workflows`, then `git commit`"
}

// RefusalError returns an error about edited files that were not overwritten although they are out of date, and about files that are no longer
// needed, or nil if there are none.
func (r Result) RefusalError() error {
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
		return operr.NewStopped("copy the lines that you want from the differences above, and also the first line, which marks the file as reviewed; or remove the file and run `mage ci:write` again",
			"%s: a person has edited or made this file, so it was not overwritten", strings.Join(names, ", "))
	case len(gone) > 0:
		return operr.NewStopped("remove these files: `git rm "+operr.Words(gone)+"`", "%s was written for a package, image or environment that the workspace no longer has", strings.Join(gone, ", "))
	}
	return nil
}
