package git

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Talk runs git with a remote. What asks has the terminal where there is one, and fails elsewhere. A remote that does not answer has a
// limit. Where it did not answer as it should, and may the next time, the error is an Unanswered one.
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
	out, err := r.limited(ctx, c)
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnanswered) {
		return out, err
	}
	err, stays := cured(err)
	if !c.Own && !stays && passing(err) {
		err = Unanswered(err)
	}
	return out, err
}

// quiet are the variables by which ssh fails where it would ask; none where a person has set how ssh is run. pass are the names of those
// that the person's credential helpers read.
func (r *Git) quiet(ctx context.Context) (set, pass []string, err error) {
	out, _, err := r.Answer(ctx, "config", "--null", "--get-regexp", "--", `^(core\.(sshcommand|askpass)|credential\.(.*\.)?helper)$`)
	if err != nil {
		return nil, nil, Failed(err, "asking git for its settings")
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

// variables are those that a line of a shell reads.
var variables = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// readBy are the variables that a helper is known to read: those that it names, and those of the cloud whose program it is.
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

// Unanswered is the error of a remote that did not answer as it should, and may when it is asked again.
func Unanswered(err error) error { return unanswered{error: err} }

// IsUnanswered reports whether an error is such a one.
func IsUnanswered(err error) bool {
	var u unanswered
	return errors.As(err, &u)
}

// passing looks for what may pass in what git said, which it said in the C locale: it has one exit status for all that goes
// wrong with a remote.
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
