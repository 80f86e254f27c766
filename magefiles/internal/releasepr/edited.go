package releasepr

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// earlier describes the changelog section on the proposal branch.
type earlier struct {
	edited  bool     // whether people have edited the section
	section string   // current text of the section
	written []string // digests of the lines that the earlier run wrote
}

// examine reads the branch's commits. It returns an error if the first is not ours, or if people have edited anything other than this version's
// section of the changelog.
func (r *proposal) examine(ctx context.Context, at string, pulls []github.Pull) (earlier, error) {
	var e earlier
	if at == "" {
		return e, nil
	}
	if slices.ContainsFunc(pulls, func(p github.Pull) bool { return p.Merged && p.Commit == at }) {
		return e, nil // the pull request with this commit is already merged
	}
	common, err := r.repo.MergeBase(ctx, at, r.onto)
	if err != nil || common == at {
		return e, err
	}
	var commits []string
	if common != "" {
		if commits, err = r.repo.FirstParents(ctx, common, at); err != nil {
			return e, err
		}
	}
	if len(commits) == 0 {
		return e, r.notOurs(at)
	}
	ours := commits[0]
	message, err := r.repo.MessageOf(ctx, ours)
	if err != nil {
		return e, err
	}
	word, tree, written := readSignature(message)
	is, err := r.repo.Tree(ctx, ours)
	if err != nil {
		return e, err
	}
	if tree == "" || is != tree {
		return e, r.notOurs(at)
	}
	if _, tagged := r.refs.Tags["v"+word]; tagged || r.refs.Tags[word] != "" {
		return e, nil // already released; the branch is a leftover
	}
	e.written = written
	return e, r.compare(ctx, &e, ours, at, common, word)
}

func (r *proposal) notOurs(at string) error {
	return operr.NewStopped("look at `git log "+operr.Word(r.remote+"/"+r.branch)+"`; if nobody needs the branch, delete the branch with `git push --delete "+operr.Word(r.remote)+" "+operr.Word(r.branch)+"`, and run this command again",
		"%s already has a branch %s, at %.12s, that `release -pr` did not make; nothing was changed", r.remote, r.branch, at)
}

// compare finds the edits that people have made since our commit. It stores the edited section in e, and returns an error if there are other edits.
func (r *proposal) compare(ctx context.Context, e *earlier, ours, at, common, word string) error {
	from, err := r.repo.Parent(ctx, ours)
	if err != nil {
		return err
	}
	proposed, err := r.repo.ChangedBetween(ctx, from, ours)
	if err != nil {
		return err
	}
	now, err := r.repo.ChangedBetween(ctx, common, at)
	if err != nil {
		return err
	}
	file := ""
	if place, err := bump.Changelog(r.w); err == nil {
		file = path.Join(r.store.Prefix, place.File)
	}
	all := slices.Concat(proposed, now)
	slices.Sort(all)
	var other []string
	for _, name := range slices.Compact(all) {
		same := false
		if name == file {
			same, err = r.takeSection(ctx, e, name, ours, at, common, word)
		} else {
			same, err = r.samePatch(ctx, name, [2]string{from, ours}, [2]string{common, at})
		}
		if err != nil {
			return err
		}
		if !same {
			other = append(other, name)
		}
	}
	if len(other) > 0 {
		return operr.NewStopped("make these edits on "+r.base+" instead, and undo them on the branch; or, if nobody needs these edits, delete the branch with `git push --delete "+operr.Word(r.remote)+" "+operr.Word(r.branch)+"`, and run this command again",
			"the branch %s has edits that would be lost, because they are outside of the section of %s in the changelog: %s; nothing was changed", r.branch, word, operr.Abbreviate(other))
	}
	return nil
}

// samePatch reports whether two pairs of commits make the same changes to a file.
func (r *proposal) samePatch(ctx context.Context, name string, one, other [2]string) (bool, error) {
	a, err := r.repo.Patch(ctx, one[0], one[1], name)
	if err != nil {
		return false, err
	}
	b, err := r.repo.Patch(ctx, other[0], other[1], name)
	return a == b, err
}

// takeSection stores the changelog section in e. It reports whether people left the rest of the file unchanged: each line comes from our proposal or
// from the base.
func (r *proposal) takeSection(ctx context.Context, e *earlier, name, ours, at, common, word string) (bool, error) {
	var parts [3]changelog.Parts
	var there [3]bool
	for i, commit := range []string{ours, at, common} {
		src, err := r.repo.Contents(ctx, commit, name)
		if err != nil {
			return false, err
		}
		parts[i], there[i] = changelog.Split(src[0], isOf(word))
	}
	proposed, now, base := parts[0], parts[1], parts[2]
	if !there[0] {
		return now == proposed, nil
	}
	if !there[1] {
		return false, nil // someone has removed the section or changed its heading
	}
	e.edited = !slices.Equal(changelog.Digests(now.Text), e.written) // also true if an earlier run preserved the edits
	e.section = now.Text
	if now.Before == proposed.Before && now.After == proposed.After {
		return true, nil
	}
	lines := func(texts ...string) []string { return strings.Split(strings.Join(texts, "\n"), "\n") }
	mine, put, main := lines(now.Before, now.After), lines(proposed.Before, proposed.After), lines(base.Before, base.Text, base.After)
	added := func(line string) bool { return !slices.Contains(put, line) && !slices.Contains(main, line) }
	taken := func(line string) bool { return slices.Contains(main, line) && !slices.Contains(mine, line) }
	return !slices.ContainsFunc(mine, added) && !slices.ContainsFunc(put, taken), nil
}
