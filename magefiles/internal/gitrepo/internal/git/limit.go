package git

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Limits are how long git may take with a remote. Where one is 0, it is that of usual.
type Limits struct {
	Question time.Duration // for a question (ls-remote)
	Transfer time.Duration // for what sends or fetches objects, whose length nobody knows
	Person   time.Duration // for a question where a person may be typing a passphrase
}

var usual = Limits{
	Question: 90 * time.Second,
	Transfer: time.Hour,
	Person:   10 * time.Minute,
}

// ErrUnanswered is in the chain where a remote did not answer within its limit.
var ErrUnanswered = errors.New("the remote has not answered")

// limited is call with a limit. What went beyond it is an Unanswered error.
func (r *Git) limited(ctx context.Context, c Call) (string, error) {
	limit := cmp.Or(r.Limits.Transfer, usual.Transfer)
	if slices.Contains(c.Args, "ls-remote") || slices.Contains(c.Args, "--dry-run") {
		limit = cmp.Or(r.Limits.Question, usual.Question)
		if r.lends(c) {
			limit = cmp.Or(r.Limits.Person, usual.Person)
		}
	}
	inner, cancel := context.WithTimeoutCause(ctx, limit, ErrUnanswered)
	defer cancel()
	out, err := r.Call(inner, c)
	if err != nil && ctx.Err() == nil && errors.Is(err, ErrUnanswered) {
		return out, unanswered{error: operr.New("see whether the remote can be reached from here, and run it again", "%w for %s", ErrUnanswered, limit)}
	}
	return out, err
}

// asking are the variables of quiet for where there is a terminal to ask at.
func asking(quiet []string) []string {
	quiet = slices.Clone(quiet)
	for i := range quiet {
		quiet[i] = strings.Replace(quiet[i], " -o BatchMode=yes", "", 1)
	}
	return quiet
}
