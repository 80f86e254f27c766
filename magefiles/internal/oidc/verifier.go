package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
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
type Verifier struct {
	Issuers   []string
	Transport http.RoundTripper // nil is Go's own
	Now       func() time.Time  // nil is the clock

	mu   sync.Mutex
	keys map[string]jose.JSONWebKeySet // by issuer
}

// Verify checks the signature, the issuer, that the token is for one of the audiences, and its times, and returns its
// claims. An error is a sentence about the token, without it.
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
	return claims, v.check(registered, audiences)
}

// signed reads the claims once the signature is checked. A key that is not known may be a new one, so that the issuer's
// are fetched again.
func (v *Verifier) signed(ctx context.Context, issuer string, token *jwt.JSONWebToken, to ...any) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := token.Headers[0].KeyID
	keys := v.keys[issuer]
	if len(keys.Key(id)) == 0 {
		fresh, err := v.fetch(ctx, issuer)
		if err != nil {
			return fmt.Errorf("the keys of %s cannot be read: %w", issuer, err)
		}
		if v.keys == nil {
			v.keys = map[string]jose.JSONWebKeySet{}
		}
		v.keys[issuer], keys = fresh, fresh
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
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
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

// fetch reads an issuer's keys: its configuration names their address.
func (v *Verifier) fetch(ctx context.Context, issuer string) (keys jose.JSONWebKeySet, err error) {
	var configuration struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := v.get(ctx, strings.TrimRight(issuer, "/")+"/.well-known/openid-configuration", &configuration); err != nil {
		return keys, err
	}
	if configuration.Issuer != issuer {
		return keys, fmt.Errorf("its configuration is that of %.200q", configuration.Issuer)
	}
	return keys, v.get(ctx, configuration.JWKSURI, &keys)
}

func (v *Verifier) get(ctx context.Context, address string, to any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if r.URL.Scheme != "https" && !httpclient.Loopback(r.URL.Hostname()) {
		return fmt.Errorf("%s is no https URL", address)
	}
	resp, err := (&http.Client{Transport: v.Transport, CheckRedirect: httpclient.Refuse}).Do(r)
	if err != nil {
		return httpclient.Plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers HTTP %d", address, resp.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(to)
}
