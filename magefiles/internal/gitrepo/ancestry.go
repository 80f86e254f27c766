package gitrepo

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Relation is how one commit stands to another one.
type Relation int

const (
	Unrelated Relation = iota // git cannot say: one is not here, or the clone is shallow and its past is not here
	Earlier                   // ours is made on theirs
	Equal
	Later    // theirs is made on ours
	Diverged // both are here with all of their past, and neither is made on the other
)

// wholeName is what the full name of a commit looks like. Names of other kinds, as a stranger may write them, are not looked up.
var wholeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) })

// Relate says how the commit theirs stands to ours, by their whole names. No date has a part in it.
func (r *Repo) Relate(ctx context.Context, ours, theirs string) (Relation, error) {
	switch {
	case !wholeName().MatchString(ours) || !wholeName().MatchString(theirs):
		return Unrelated, nil
	case ours == theirs:
		return Equal, nil
	}
	seen, err := r.Call(ctx, git.Call{Args: []string{"cat-file", "--batch-check"}, Stdin: ours + "\n" + theirs + "\n", Set: git.Offline})
	if err != nil {
		return Unrelated, git.Failed(err, "looking for %s", git.Short(theirs))
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
			return Unrelated, git.Failed(err, "comparing %s with %s", git.Short(ours), git.Short(theirs))
		}
	}
	shallow, err := r.Ask(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return Unrelated, git.Failed(err, "asking whether %s has all of its past", r.Top)
	}
	if shallow != "false" {
		return Unrelated, nil
	}
	return Diverged, nil
}

// Contains reports whether a commit is one of those that another is made on, or is it. One that is not here is not.
func (r *Repo) Contains(ctx context.Context, commit, ancestor string) (bool, error) {
	if commit == "" || ancestor == "" {
		return false, nil
	}
	_, yes, err := r.Answer(ctx, "merge-base", "--is-ancestor", "--", ancestor, commit)
	if err == nil || ctx.Err() != nil {
		return yes, err
	}
	seen, seenErr := r.Feed(ctx, commit+"^{commit}\n"+ancestor+"^{commit}\n", "cat-file", "--batch-check")
	if seenErr == nil && strings.Contains(seen, " missing") { // "NAME missing", where an object is "HASH TYPE SIZE"
		return false, nil
	}
	return false, git.Failed(err, "comparing %s with %s", git.Short(commit), git.Short(ancestor))
}

// Ahead is the number of commits that one has and another has not.
func (r *Repo) Ahead(ctx context.Context, commit, of string) (int, error) {
	out, err := r.Ask(ctx, "rev-list", "--count", "--end-of-options", of+".."+commit, "--")
	if err != nil {
		return 0, git.Failed(err, "comparing %s with %s", commit, of)
	}
	return strconv.Atoi(out)
}
