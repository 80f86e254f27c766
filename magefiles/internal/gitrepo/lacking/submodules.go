package lacking

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findSubmodules checks submodules, and the contents of those that are checked out.
func findSubmodules(ctx context.Context, r *gitrepo.Repo, links []gitrepo.Entry, packed, named []string) ([]Lack, error) {
	var found []Lack
	var there []string
	for _, e := range links {
		if e.Unseen() || !r.IsCheckedOut(e.Path) {
			found = append(found, Lack{
				Path:      e.Path,
				Kind:      Missing,
				Submodule: true,
				Why:       "is a submodule, and its files are not in this clone",
				Next:      "`git submodule update --init --recursive " + operr.Word(e.Path) + "`; in a workflow, set `submodules: recursive` for actions/checkout",
			})
			continue
		}
		if Touches(packed, e.Path) {
			there = append(there, e.Path)
		}
	}
	differ, err := differing(ctx, r, there)
	if err != nil {
		return nil, err
	}
	found = append(found, differ...)
	for _, link := range there {
		sub := gitrepo.At(r.Runner, filepath.Join(r.Top, filepath.FromSlash(link)))
		more, err := find(ctx, sub, within(packed, link), within(named, link))
		if err != nil {
			return nil, err
		}
		for _, l := range more {
			l.Path = path.Join(link, l.Path)
			found = append(found, l)
		}
	}
	return found, nil
}

// differing returns the submodules that have changes, or are not at the recorded commit, regardless of the configuration.
func differing(ctx context.Context, r *gitrepo.Repo, links []string) ([]Lack, error) {
	if len(links) == 0 {
		return nil, nil
	}
	args := []string{"status", "--porcelain=v2", "-z", "--ignore-submodules=none", "--untracked-files=all", "--no-renames", "--"}
	for _, l := range links {
		args = append(args, ":(top,literal)"+l)
	}
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return nil, git.Failure(err, "asking git for the submodules of %s", r.Top)
	}
	var found []Lack
	for line := range strings.SplitSeq(out, "\x00") {
		f := strings.SplitN(line, " ", 9)
		if len(f) < 9 || f[0] != "1" || !strings.HasPrefix(f[2], "S") {
			continue
		}
		l := Lack{Path: f[8], Kind: Differs, Submodule: true, Why: "is a submodule with uncommitted changes", Next: "commit the changes in the submodule, and then commit the submodule in this repository; or stash the changes"}
		if f[2][1] == 'C' || f[1] != ".M" {
			l.Why = "is a submodule at a different commit than the one that this repository records"
			l.Next = "commit the submodule, or `git submodule update " + operr.Word(l.Path) + "`"
		}
		found = append(found, l)
	}
	return found, nil
}
