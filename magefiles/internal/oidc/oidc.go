// Package oidc requests ID tokens from the CI that runs this program and verifies ID tokens. It also contains a CI token service for tests and
// rehearsals.
//
// An ID token is a short-lived statement signed by a CI, for example: "this job runs the workflow release.yml of that repository". A channel that
// has registered the repository as a trusted publisher exchanges the token for one that allows uploads (prefix-protocol.md §2). No secret has to
// be stored.
//
//   - [Detect] finds the CI. Like the ambient-id crate in rattler's clients, it looks for the first variable that is exactly "true".
//   - [Verifier] is used by the channel. It verifies the signature with the issuer's published keys, and checks the issuer, the audience and the
//     times.
//   - [Issuer] replaces the CI in tests and rehearsals. It serves ID tokens like GitHub's token service, and the documents that a verifier needs.
package oidc

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// CI is a CI service that can issue an ID token to the job that it runs.
type CI interface {
	// Name returns the CI's name for messages.
	Name() string
	// Token returns an ID token for the audience. An error suggests what is probably missing.
	Token(ctx context.Context, audience string) (string, error)
}

// Options configures the requests to a CI.
type Options struct {
	Transport http.RoundTripper // defaults to http.DefaultTransport
	Patience  time.Duration     // time limit for one request, including the response; defaults to 30 seconds
	// Wait is called before each retry, like Wait of httpclient.Retry. It defaults to httpclient.BackOff.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error
}

// Detect returns the CI that runs this program, or nil. getenv reads the environment.
func Detect(getenv func(name string) string, o Options) CI {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return &github{getenv: getenv, Options: o}
	case getenv("GITLAB_CI") == "true":
		return &gitlab{getenv: getenv}
	}
	return nil
}

// variable returns the name of the variable in which a GitLab job expects the ID token for an audience, such as PREFIX_DEV_ID_TOKEN. Letters are
// upper-cased, and everything except letters and digits is replaced by "_".
func variable(audience string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, audience) + "_ID_TOKEN"
}
