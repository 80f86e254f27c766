package gitrepo

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Relation is the relation between two commits, `ours` and `theirs`, in the commit graph.
type Relation int

const (
	Unrelated Relation = iota // unknown: the clone lacks a commit, or is shallow and neither commit is a known ancestor of the other
	Earlier                   // `theirs` is an ancestor of `ours`
	Equal
	Later    // `ours` is an ancestor of `theirs`
	Diverged // the clone has the whole history of both commits, and neither is an ancestor of the other
)

// wholeName matches a full commit hash. Relate resolves no other names, because the input may come from an untrusted source.
var wholeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) })

// Relate returns the relation of commit `ours` to commit `theirs`. Both must be full hashes. Commit dates are ignored.
func (r *Repo) Relate(ctx context.Context, ours, theirs string) (Relation, error) {
	switch {
	case !wholeName().MatchString(ours) || !wholeName().MatchString(theirs):
		return Unrelated, nil
	case ours == theirs:
		return Equal, nil
	}
	seen, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch-check"}, Stdin: ours + "\n" + theirs + "\n", Set: git.Offline})
	if err != nil {
		return Unrelated, git.Failure(err, "looking for %s", git.Short(theirs))
	}
	if strings.Count(seen, " commit ") != 2 {
		return Unrelated, nil
	}
	for _, c := range []struct {
		of, base string
		is       Relation
	}{{ours, theirs, Earlier}, {theirs, ours, Later}} {
		_, err := r.Call(ctx, git.Call{Args: []string{"merge-base", "--is-ancestor", "--", c.base, c.of}, Set: git.Offline})
		if err == nil {
			return c.is, nil
		}
		if git.Ended(err) != 1 {
			return Unrelated, git.Failure(err, "comparing %s with %s", git.Short(ours), git.Short(theirs))
		}
	}
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return Unrelated, git.Failure(err, "asking git whether %s is a shallow clone", r.Top)
	}
	if shallow != "false" {
		return Unrelated, nil
	}
	return Diverged, nil
}

// Contains reports whether ancestor is commit or one of its ancestors. It returns false if the clone lacks either commit.
func (r *Repo) Contains(ctx context.Context, commit, ancestor string) (bool, error) {
	if commit == "" || ancestor == "" {
		return false, nil
	}
	_, yes, err := r.Answer(ctx, "merge-base", "--is-ancestor", "--", ancestor, commit)
	if err == nil || ctx.Err() != nil {
		return yes, err
	}
	seen, seenErr := r.Feed(ctx, commit+"^{commit}\n"+ancestor+"^{commit}\n", "cat-file", "--batch-check")
	if seenErr == nil && strings.Contains(seen, " missing") { // git prints "NAME missing" for a missing object, and "HASH TYPE SIZE" for an existing one
		return false, nil
	}
	return false, git.Failure(err, "comparing %s with %s", git.Short(commit), git.Short(ancestor))
}

// CountAhead returns the number of commits that are reachable from `commit` but not from `of`.
func (r *Repo) CountAhead(ctx context.Context, commit, of string) (int, error) {
	out, err := r.Ask(ctx, "rev-list", "--count", "--end-of-options", of+".."+commit, "--")
	if err != nil {
		return 0, git.Failure(err, "comparing %s with %s", commit, of)
	}
	return strconv.Atoi(out)
}
