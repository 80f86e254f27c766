package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The issuers that prefix.dev accepts.
const (
	GitHubIssuer = "https://token.actions.githubusercontent.com"
	GitLabIssuer = "https://gitlab.com"
)

// algorithms lists the accepted signature algorithms. "none" and algorithms with a shared secret must not be added.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// leeway is the clock skew that is tolerated.
const leeway = time.Minute

// Verifier verifies ID tokens from trusted issuers with the keys that the issuers publish (OpenID Connect Discovery 1.0). It accepts each token
// only once.
type Verifier struct {
	Issuers   []string
	Transport http.RoundTripper // defaults to http.DefaultTransport
	Now       func() time.Time  // defaults to time.Now
	Patience  time.Duration     // time limit for a response from an issuer; defaults to 30 seconds

	mu    sync.Mutex
	known map[string]*issuer              // by URL
	taken map[[sha256.Size]byte]time.Time // hashes of accepted tokens, with the time at which each can be forgotten
}

// Verify verifies a token's signature, issuer and times, and that its audience is one of audiences. It rejects a token that it has already
// accepted. It returns the token's claims. An error is a sentence about the token and does not contain the token.
func (v *Verifier) Verify(ctx context.Context, raw string, audiences []string) (map[string]any, error) {
	token, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return nil, errors.New("it is not a signed ID token")
	}
	var unchecked jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&unchecked); err != nil {
		return nil, errors.New("its claims cannot be read")
	}
	if !slices.Contains(v.Issuers, unchecked.Issuer) {
		return nil, fmt.Errorf("its issuer %.200q is not one of %s", unchecked.Issuer, strings.Join(v.Issuers, ", "))
	}
	var registered jwt.Claims
	var claims map[string]any
	if err := v.readClaims(ctx, unchecked.Issuer, token, &registered, &claims); err != nil {
		return nil, err
	}
	if err := v.check(registered, audiences); err != nil {
		return nil, err
	}
	return claims, v.take(claims, registered.Expiry.Time().Add(leeway))
}

// take rejects a token that has already been accepted, so that a token that leaks, for example in a log, is useless. It compares the claims,
// because each token has a unique jti. It cannot compare the text, because the same base64 data and the same signature can be encoded in several
// ways.
func (v *Verifier) take(claims map[string]any, until time.Time) error {
	said, err := json.Marshal(claims)
	if err != nil {
		return errors.New("its claims cannot be read")
	}
	key := sha256.Sum256(said)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.taken == nil {
		v.taken = map[[sha256.Size]byte]time.Time{}
	}
	for old, end := range v.taken {
		if v.now().After(end) {
			delete(v.taken, old)
		}
	}
	if _, twice := v.taken[key]; twice {
		return errors.New("it was used before, but each ID token can be used only once: request a new ID token from the CI")
	}
	v.taken[key] = until
	return nil
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// readClaims verifies the token's signature and then decodes its claims.
func (v *Verifier) readClaims(ctx context.Context, issuer string, token *jwt.JSONWebToken, to ...any) error {
	id := token.Headers[0].KeyID
	keys, err := v.keysOf(ctx, issuer, id)
	if err != nil {
		return fmt.Errorf("the keys of %s cannot be read: %w", issuer, err)
	}
	for _, key := range keys.Key(id) {
		if key.Use == "sig" && token.Claims(key.Public(), to...) == nil {
			return nil
		}
	}
	return fmt.Errorf("its signature was not made with a key of %s", issuer)
}

// check validates a token's audience and times.
func (v *Verifier) check(c jwt.Claims, audiences []string) error {
	now := v.now()
	if c.Expiry == nil || c.IssuedAt == nil {
		return errors.New("it does not state when it was issued and when it expires")
	}
	err := c.ValidateWithLeeway(jwt.Expected{AnyAudience: audiences, Time: now}, leeway)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("it expired at %s; the time now is %s", c.Expiry.Time().UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case errors.Is(err, jwt.ErrInvalidAudience):
		return fmt.Errorf("it is for the audience %.200q, but %s was expected", []string(c.Audience), strings.Join(audiences, " or "))
	}
	return errors.New("it is not valid yet")
}
