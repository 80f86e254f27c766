package pixi

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pixisays"
)

// remedies lists pixi errors that the user can fix.
var remedies = sync.OnceValue(func() []remedy {
	return []remedy{
		{
			text:    regexp.MustCompile(pixisays.LockNotUpToDate),
			code:    1,
			summary: "pixi.lock does not match the manifest",
			next:    "update pixi.lock with `mage lock`, and commit it; `pixi lock --check --dry-run -v` shows the differences",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.NoWorkspace),
			code:    1,
			summary: "there is no pixi workspace in $1",
			next:    "run the command in the folder of a pixi.toml, or in a folder below",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.NoEnvironment),
			code:    1,
			summary: "the manifest has no environment $1",
			next:    "name an environment from [environments] of the manifest",
			status:  operr.Usage,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.RunsWithSources),
			code:    1,
			summary: "pixi does not publish $1 alone, because $1 runs with the sources of $2",
			next:    "set `publish = true` in [package] of $1 and of $2",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.SameOutput),
			code:    1,
			summary: "two packages with `publish = true` are both named $3: $1 and $2",
			next:    "remove `publish = true` from one of these packages",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoCandidates),
			code:    1,
			summary: "the environment cannot be solved: no channel has $1",
			next:    "publish this package, or correct the requirement on it: pixi solves for every platform of the manifest",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoSubdir),
			code:    1,
			summary: "a channel does not exist, or this login may not read it",
			next:    "correct the name of the channel, or publish a package to the channel; for a private channel, run `pixi auth login`",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.Refused),
			code:    1,
			summary: "a channel refused a request of pixi ($1)",
			next:    "log in with `pixi auth login`; if RATTLER_AUTH_FILE is set, pixi reads and writes credentials only in the file that it names",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.BadCertificate),
			code:    1,
			summary: "pixi does not accept a channel's certificate",
			next:    "set SSL_CERT_FILE to a PEM file with the certificate of your organization's authority, and let pixi use the system's certificates: tls-root-certs in pixi's configuration",
			status:  operr.Failed,
			cures:   true,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.ProxyLogin),
			code:    1,
			summary: "a proxy requires a name and a password",
			next:    "set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT, or name the channel's host in NO_PROXY",
			status:  operr.Failed,
			cures:   true,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoConnection),
			code:    1,
			summary: "a channel cannot be reached",
			next:    "check whether this machine can reach the channel; to use a mirror, name the mirror in [mirrors] of pixi's configuration",
			status:  operr.Failed,
			cures:   true,
		},
	}
})

// remedy maps a message of pixi to a next step.
type remedy struct {
	text    *regexp.Regexp
	code    int // exit status
	summary string
	next    string
	status  int
	cures   bool // whether `next` applies to every command
}

// translate converts pixi's error output to an error with a next step. If it matches no remedy, the task itself has failed, and translate returns
// the exit error unchanged.
func translate(exit *command.ExitError, stderr string, env []string) error {
	said := flatten(stderr)
	for _, s := range remedies() {
		m := s.text.FindStringSubmatchIndex(said)
		if exit.Code != s.code || m == nil {
			continue
		}
		expand := func(t string) string { return string(s.text.ExpandString(nil, t, said, m)) }
		var cause error = exit
		if s.cures {
			cause = operr.AddCure(expand(s.next), exit)
		}
		return &operr.Error{
			Summary: strings.TrimSuffix(expand(s.summary), " in "),
			Next:    expand(s.next),
			Detail:  strings.TrimSpace(stderr),
			Status:  s.status,
			Err:     cause,
		}
	}
	if m := invalidValue.FindStringSubmatch(said); m != nil && exit.Code == 2 {
		return wrongVariable(exit, m[1], m[2], stderr, env)
	}
	return exit
}

var invalidValue = regexp.MustCompile(pixisays.InvalidValue)

// wrongVariable returns the error for a flag with an invalid value. If an environment variable set the flag, the error names the variable. pixi
// accepts only true and false for booleans.
func wrongVariable(exit *command.ExitError, value, flag, stderr string, env []string) error {
	what := "--" + flag
	name := "PIXI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if v, ok := command.Getenv(env, name); ok && v == value {
		what = "the environment variable " + name
	}
	return (&operr.Error{
		Summary: "pixi does not accept the value " + value + " for " + what,
		Next:    "set this variable or flag to true or false, or unset it",
		Status:  operr.Usage,
		Err:     exit,
	}).WithDetail(stderr)
}

var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

// flatten returns pixi's error as one line, without earlier output.
func flatten(stderr string) string {
	lines := strings.Split(color.ReplaceAllString(stderr, ""), "\n")
	i := slices.IndexFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "Error:") || strings.HasPrefix(l, "error:")
	})
	if i < 0 {
		return ""
	}
	return pixisays.Unwrap(strings.Join(lines[i:], "\n"))
}

// addContext prefixes an error with what was being done. It keeps the error's detail, next step and exit status.
func addContext(err error, format string, args ...any) error {
	return &operr.Error{Summary: fmt.Sprintf(format, args...) + ": " + err.Error(), Detail: lastSaid(err), Err: err}
}

// lastSaid returns the last lines of pixi's output, or "" if err is already an *operr.Error.
func lastSaid(err error) string {
	var said *operr.Error
	var exit *command.ExitError
	if errors.As(err, &said) || !errors.As(err, &exit) {
		return ""
	}
	return exit.Tail
}
