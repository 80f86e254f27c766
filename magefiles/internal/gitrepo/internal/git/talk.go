package git

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Talk runs a git command that contacts a remote, with a timeout. Prompts use the terminal if there is one, and fail otherwise. If the remote failed
// to respond, but may succeed on a retry, IsUnanswered is true for the error.
func (r *Git) Talk(ctx context.Context, c Call) (string, error) {
	c.Asks = true
	quiet, pass, err := r.quiet(ctx)
	if err != nil {
		return "", err
	}
	if r.lends(c) {
		quiet = asking(quiet)
	}
	c.Set, c.Pass = append(c.Set, quiet...), pass
	c.Settings = append(c.Settings, "http.lowSpeedLimit=1", "http.lowSpeedTime=60")
	out, err := r.callWithLimit(ctx, c)
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnanswered) {
		return out, err
	}
	err, stays := addCure(err)
	if !c.Own && !stays && passing(err) {
		err = MarkUnanswered(err)
	}
	return out, err
}

// quiet returns variables that make ssh fail instead of prompting, or nil if the user has configured an ssh command. pass has the names of the
// variables that the user's credential helpers read.
func (r *Git) quiet(ctx context.Context) (set, pass []string, err error) {
	out, _, err := r.Answer(ctx, "config", "--null", "--get-regexp", "--", `^(core\.(sshcommand|askpass)|credential\.(.*\.)?helper)$`)
	if err != nil {
		return nil, nil, Failure(err, "asking git for its settings")
	}
	own := ""
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, _ := strings.Cut(kv, "\n")
		if key == "core.sshcommand" {
			own = value
		}
		pass = append(pass, readBy(value)...)
	}
	for _, variable := range []string{"GIT_SSH_COMMAND", "GIT_SSH"} {
		if _, ok := command.Getenv(r.Environ(nil), variable); ok {
			return nil, pass, nil
		}
	}
	if own != "" {
		return nil, pass, nil
	}
	return []string{"GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"}, pass, nil
}

// variables matches variable references in a shell command.
var variables = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// readBy returns the variables that a helper is known to read: the ones in its command line, and the ones of its cloud provider.
func readBy(helper string) (names []string) {
	for _, m := range variables.FindAllStringSubmatch(helper, -1) {
		names = append(names, m[1])
	}
	if strings.Contains(helper, "codecommit") {
		names = append(names, "AWS_*")
	}
	if strings.Contains(helper, "gcloud") {
		names = append(names, "CLOUDSDK_*", "GOOGLE_*")
	}
	return names
}

type unanswered struct{ error }

func (u unanswered) Unwrap() error { return u.error }

// MarkUnanswered marks an error of a remote that may succeed on a retry.
func MarkUnanswered(err error) error { return unanswered{error: err} }

// IsUnanswered reports whether an error was marked by MarkUnanswered, or is a timeout.
func IsUnanswered(err error) bool {
	var u unanswered
	return errors.As(err, &u)
}

// passing reports whether git's message is about a temporary failure. Git uses the same exit status for all failures of a remote, so passing looks
// for the messages that git prints in the C locale.
func passing(err error) bool {
	said := strings.ToLower(operr.DetailOf(err))
	for _, sign := range []string{
		"could not read from remote", "unexpected disconnect", "hung up", "early eof", "timed out", "connection re",
		"could not resolve", "temporary failure", "unable to access", "rpc failed", "http 5", "error: 5",
	} {
		if strings.Contains(said, sign) {
			return !strings.Contains(said, "denied") && !strings.Contains(said, "does not appear to be a git repository")
		}
	}
	return false
}
