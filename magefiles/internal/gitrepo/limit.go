package gitrepo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// limits are how long git may take with a remote: for a question (ls-remote), for what sends or fetches objects, whose length nobody
// knows, and for a question where a person may be typing a passphrase.
var limits = struct{ question, transfer, person time.Duration }{90 * time.Second, time.Hour, 10 * time.Minute}

// errSilent is in the chain where a remote did not answer within its limit.
var errSilent = errors.New("the remote has not answered")

// limited is call with a limit. What went beyond it is a Transient error.
func (r *Repo) limited(ctx context.Context, c call) (string, error) {
	limit := limits.transfer
	if slices.Contains(c.args, "ls-remote") || slices.Contains(c.args, "--dry-run") {
		limit = limits.question
		if r.lends(c) {
			limit = limits.person
		}
	}
	inner, cancel := context.WithTimeoutCause(ctx, limit, errSilent)
	defer cancel()
	out, err := r.call(inner, c)
	if err != nil && ctx.Err() == nil && errors.Is(err, errSilent) {
		return out, unanswered{error: operr.New("see whether the remote can be reached from here, and run it again", "%w for %s", errSilent, limit)}
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
