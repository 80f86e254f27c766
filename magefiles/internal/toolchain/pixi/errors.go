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

// remedies are the errors of pixi that an operator can do something about.
var remedies = sync.OnceValue(func() []remedy {
	return []remedy{
		{
			text:    regexp.MustCompile(pixisays.LockNotUpToDate),
			code:    1,
			summary: "pixi.lock does not fit the manifest any more",
			next:    "bring it up to date with `mage lock` and commit it; `pixi lock --check --dry-run -v` says what differs",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.NoWorkspace),
			code:    1,
			summary: "there is no pixi workspace in $1",
			next:    "run it in the folder of a pixi.toml, or below",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.NoEnvironment),
			code:    1,
			summary: "there is no environment $1 in the manifest",
			next:    "name one of [environments] of the manifest",
			status:  operr.Usage,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.RunsWithSources),
			code:    1,
			summary: "pixi does not publish $1 alone: it runs with the sources of $2",
			next:    "set `publish = true` in [package] of $1 and of $2",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.SameOutput),
			code:    1,
			summary: "two packages with `publish = true` are both named $3: $1 and $2",
			next:    "take `publish = true` away from one of them",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoCandidates),
			code:    1,
			summary: "the environment cannot be had: no channel has $1",
			next:    "publish it, or correct what asks for it: pixi solves for every platform of the manifest",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoSubdir),
			code:    1,
			summary: "a channel is not there, or not for this login",
			next:    "correct its name, or publish to it first; a private channel wants `pixi auth login`",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.Refused),
			code:    1,
			summary: "a channel refuses what pixi asks it for ($1)",
			next:    "log in: `pixi auth login`, into the file that RATTLER_AUTH_FILE names where that is set",
			status:  operr.Failed,
			cures:   false,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.BadCertificate),
			code:    1,
			summary: "a channel's certificate is not accepted",
			next:    "set SSL_CERT_FILE to a PEM file that has the certificate of your organization's authority, and have pixi read the system's: tls-root-certs in its configuration",
			status:  operr.Failed,
			cures:   true,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.ProxyLogin),
			code:    1,
			summary: "a proxy wants a name and a password",
			next:    "put them into HTTPS_PROXY: http://NAME:PASSWORD@HOST:PORT; or name the channel's host in NO_PROXY",
			status:  operr.Failed,
			cures:   true,
		},
		{
			text:    regexp.MustCompile(pixisays.Unsolved + pixisays.NoConnection),
			code:    1,
			summary: "a channel cannot be reached",
			next:    "see whether it can be from this machine; a mirror goes into [mirrors] of pixi's configuration",
			status:  operr.Failed,
			cures:   true,
		},
	}
})

// remedy is what to do about a sentence of pixi's.
type remedy struct {
	text    *regexp.Regexp
	code    int // exit status
	summary string
	next    string
	status  int
	cures   bool // next holds whatever was being done
}

// translate makes an error for the operator of what pixi said, or returns the exit error as it is: then it is the
// task's own.
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
			cause = operr.Cured(expand(s.next), exit)
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

// wrongVariable names the environment variable that stands for a flag whose value pixi refuses: of booleans it takes
// only true and false.
func wrongVariable(exit *command.ExitError, value, flag, stderr string, env []string) error {
	what := "--" + flag
	name := "PIXI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if v, ok := command.Getenv(env, name); ok && v == value {
		what = "the environment variable " + name
	}
	return (&operr.Error{
		Summary: "pixi does not take " + value + " for " + what,
		Next:    "set it to true or false, or unset it",
		Status:  operr.Usage,
		Err:     exit,
	}).WithDetail(stderr)
}

var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

// flatten writes what pixi wrote in one line, beginning with its error.
func flatten(stderr string) string {
	lines := strings.Split(color.ReplaceAllString(stderr, ""), "\n")
	i := slices.IndexFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "Error:") || strings.HasPrefix(l, "error:")
	})
	if i < 0 {
		return ""
	}
	return pixisays.Unwrapped(strings.Join(lines[i:], "\n"))
}

// about puts what was being done before an error, and keeps its detail, next step and exit status.
func about(err error, format string, args ...any) error {
	return &operr.Error{Summary: fmt.Sprintf(format, args...) + ": " + err.Error(), Detail: lastSaid(err), Err: err}
}

// lastSaid returns what pixi last said, where nobody has said it better.
func lastSaid(err error) string {
	var said *operr.Error
	var exit *command.ExitError
	if errors.As(err, &said) || !errors.As(err, &exit) {
		return ""
	}
	return exit.Tail
}
