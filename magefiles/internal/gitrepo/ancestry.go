package gitrepo

import (
	"context"
	"regexp"
	"strings"
	"sync"
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

// offline has git fetch nothing for a question about commits.
var offline = []string{"GIT_NO_LAZY_FETCH=1"}

// Relate says how the commit theirs stands to ours, by their whole names. No date has a part in it.
func (r *Repo) Relate(ctx context.Context, ours, theirs string) (Relation, error) {
	switch {
	case !wholeName().MatchString(ours) || !wholeName().MatchString(theirs):
		return Unrelated, nil
	case ours == theirs:
		return Equal, nil
	}
	seen, err := r.call(ctx, call{args: []string{"cat-file", "--batch-check"}, stdin: ours + "\n" + theirs + "\n", set: offline})
	if err != nil {
		return Unrelated, failed(err, "looking for %s", short(theirs))
	}
	if strings.Count(seen, " commit ") != 2 {
		return Unrelated, nil
	}
	for _, c := range []struct {
		of, base string
		is       Relation
	}{{ours, theirs, Earlier}, {theirs, ours, Later}} {
		_, err := r.call(ctx, call{args: []string{"merge-base", "--is-ancestor", "--", c.base, c.of}, set: offline})
		if err == nil {
			return c.is, nil
		}
		if ended(err) != 1 {
			return Unrelated, failed(err, "comparing %s with %s", short(ours), short(theirs))
		}
	}
	shallow, err := r.git(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return Unrelated, failed(err, "asking whether %s has all of its past", r.Top)
	}
	if shallow != "false" {
		return Unrelated, nil
	}
	return Diverged, nil
}
