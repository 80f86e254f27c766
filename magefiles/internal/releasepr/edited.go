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

// earlier is what the branch has of an earlier run.
type earlier struct {
	edited  bool     // people have changed the section
	section string   // as they left it
	written []string // digests of the lines that were written then
}

// examine looks at what the branch is at. It stops where that is not a commit of ours, or has other edits than of this version's section of the changelog.
func (r *proposal) examine(ctx context.Context, at string, pulls []github.Pull) (earlier, error) {
	var e earlier
	if at == "" {
		return e, nil
	}
	if slices.ContainsFunc(pulls, func(p github.Pull) bool { return p.Merged && p.Commit == at }) {
		return e, nil // what it was for is done
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
		return e, nil // its release is through, and the branch was left
	}
	e.written = written
	return e, r.compare(ctx, &e, ours, at, common, word)
}

func (r *proposal) notOurs(at string) error {
	return operr.NewStopped("see `git log "+operr.Word(r.remote+"/"+r.branch)+"`; where nobody needs it, `git push --delete "+operr.Word(r.remote)+" "+operr.Word(r.branch)+"`, and run it again",
		"%s has a branch %s already, at %.12s, that is not as `release -pr` left it; nothing was changed", r.remote, r.branch, at)
}

// compare finds what people did since a commit of ours, and takes up what they wrote into the section.
func (r *proposal) compare(ctx context.Context, e *earlier, ours, at, common, word string) error {
	from, err := r.repo.Parent(ctx, ours)
	if err != nil {
		return err
	}
	proposed, err := r.repo.Between(ctx, from, ours)
	if err != nil {
		return err
	}
	now, err := r.repo.Between(ctx, common, at)
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
		return operr.NewStopped("put them on "+r.base+", where this follows them, and take them back on the branch; or, where nobody needs them, `git push --delete "+operr.Word(r.remote)+" "+operr.Word(r.branch)+"`, and run it again",
			"the branch %s has edits besides the section of %s in the changelog, which would be lost: %s; nothing was changed", r.branch, word, operr.Some(other))
	}
	return nil
}

// samePatch reports whether two ways change the same lines of a file.
func (r *proposal) samePatch(ctx context.Context, name string, one, other [2]string) (bool, error) {
	a, err := r.repo.Patch(ctx, one[0], one[1], name)
	if err != nil {
		return false, err
	}
	b, err := r.repo.Patch(ctx, other[0], other[1], name)
	return a == b, err
}

// takeSection takes up the section of a changelog, and reports whether all else of the file is as it was proposed, or as the base has it.
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
		return false, nil // somebody has taken it out, or given it another heading
	}
	e.edited = !slices.Equal(changelog.Digests(now.Text), e.written) // by now, or before an earlier run, which has kept it
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
