// Package oidc gets ID tokens from the CI that runs us, checks them, and plays the CI's token service.
//
// An ID token is a short-lived, signed statement of a CI: "this job runs the workflow release.yml of that repository". A
// channel that has registered the repository as a trusted publisher takes it in exchange for a token that may upload
// (prefix-protocol.md §2), so that no secret has to be kept anywhere.
//
//   - [Detect] finds the CI as rattler's clients do, by the ambient-id crate: the first variable that is exactly "true".
//   - [Verifier] is the channel's side: signature by the issuer's published keys, issuer, audience, time.
//   - [Issuer] is the CI's side, for rehearsals and tests: what GitHub's token service answers to a job, and the
//     documents by which its signatures are checked.
package oidc

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// CI is a CI that can give the job it runs an ID token.
type CI interface {
	// Name is what people call it.
	Name() string
	// Token returns an ID token for the audience. Its errors say what is likely to be missing.
	Token(ctx context.Context, audience string) (string, error)
}

// Options are what asking a CI needs beside the environment.
type Options struct {
	Transport http.RoundTripper // nil is Go's own
	Patience  time.Duration     // for one answer as a whole; 0 is 30 seconds
	// Wait is called before attempt 2 and later ones, as that of an httpclient.Retry. Nil is httpclient.BackOff.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error
}

// Detect returns the CI that runs us, or nil. Getenv reads the environment.
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

// variable is the name that GitLab's job has to give the ID token of an audience: upper case, and "_" for everything that
// is no letter or digit, as in PREFIX_DEV_ID_TOKEN.
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
