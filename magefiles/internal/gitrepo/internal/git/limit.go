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

// Limits holds timeouts for remotes. Zero values default to `usual`.
type Limits struct {
	Question time.Duration // for queries (ls-remote)
	Transfer time.Duration // for pushes and fetches, which may take long
	Person   time.Duration // for queries during which the user may type a passphrase
}

var usual = Limits{
	Question: 90 * time.Second,
	Transfer: time.Hour,
	Person:   10 * time.Minute,
}

// ErrUnanswered means that a remote did not respond in time.
var ErrUnanswered = errors.New("the remote has not answered")

// callWithLimit is like Call, with a timeout. After a timeout, IsUnanswered is true for the error.
func (r *Git) callWithLimit(ctx context.Context, c Call) (string, error) {
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
		return out, unanswered{error: operr.New("check that this machine reaches the remote, then run the command again", "%w for %s", ErrUnanswered, limit)}
	}
	return out, err
}

// asking returns a copy of the variables `quiet`, changed so that ssh may prompt.
func asking(quiet []string) []string {
	quiet = slices.Clone(quiet)
	for i := range quiet {
		quiet[i] = strings.Replace(quiet[i], " -o BatchMode=yes", "", 1)
	}
	return quiet
}
