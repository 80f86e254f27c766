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

// The issuers of the CIs that prefix.dev knows.
const (
	GitHubIssuer = "https://token.actions.githubusercontent.com"
	GitLabIssuer = "https://gitlab.com"
)

// algorithms are those that the issuers sign with. "none" and those with a shared secret are none of them.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// leeway is how far clocks may differ.
const leeway = time.Minute

// Verifier checks ID tokens of the issuers it trusts, by the keys that these publish (OpenID Connect Discovery 1.0).
// It takes each token once.
type Verifier struct {
	Issuers   []string
	Transport http.RoundTripper // nil is Go's own
	Now       func() time.Time  // nil is the clock
	Patience  time.Duration     // for an answer of an issuer; 0 is 30 seconds

	mu    sync.Mutex
	known map[string]*issuer              // by URL
	taken map[[sha256.Size]byte]time.Time // tokens that were accepted, and until when they would be
}

// Verify checks the signature, the issuer, that the token is for one of the audiences, and its times, and that it was not
// accepted before, and returns its claims. An error is a sentence about the token, without it.
func (v *Verifier) Verify(ctx context.Context, raw string, audiences []string) (map[string]any, error) {
	token, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return nil, errors.New("it is no signed ID token")
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
	if err := v.signed(ctx, unchecked.Issuer, token, &registered, &claims); err != nil {
		return nil, err
	}
	if err := v.check(registered, audiences); err != nil {
		return nil, err
	}
	return claims, v.take(claims, registered.Expiry.Time().Add(leeway))
}

// take refuses a token that was accepted before: whoever reads it somewhere, such as in a log, is too late. What it says
// counts (each has another jti), and not its spelling, of which base64 and signatures have several.
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
		return errors.New("it was accepted before, and each is good for one time: ask the CI for another one")
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

// signed reads the claims once the signature is checked.
func (v *Verifier) signed(ctx context.Context, issuer string, token *jwt.JSONWebToken, to ...any) error {
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
	return fmt.Errorf("its signature is not by a key of %s", issuer)
}

// check compares audience and times.
func (v *Verifier) check(c jwt.Claims, audiences []string) error {
	now := v.now()
	if c.Expiry == nil || c.IssuedAt == nil {
		return errors.New("it does not say when it was issued and when it ends")
	}
	err := c.ValidateWithLeeway(jwt.Expected{AnyAudience: audiences, Time: now}, leeway)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("it ended at %s, and it is %s", c.Expiry.Time().UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case errors.Is(err, jwt.ErrInvalidAudience):
		return fmt.Errorf("it is for %.200q, and not for %s", []string(c.Audience), strings.Join(audiences, " or "))
	}
	return errors.New("it is not valid yet")
}
