package oidc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

const (
	patience = 30 * time.Second // time limit for reading one response from an issuer
	maxKeys  = 1 << 20          // maximum size of an issuer's configuration or key set, in bytes

	// Anyone can send a token with an unknown key ID, and this makes the Verifier fetch the issuer's keys. `again` limits this to one successful
	// fetch, or to `tries` failed ones, per minute.
	again = time.Minute
	tries = 4
)

// issuer caches an issuer's keys. Its mutex is held while the keys are fetched, so that other goroutines wait for the result.
type issuer struct {
	mu     sync.Mutex
	keys   jose.JSONWebKeySet
	read   time.Time // when the keys were last fetched
	failed []time.Time
}

// keysOf returns an issuer's keys. If id is not among the cached keys, it may be a new key, so keysOf fetches the keys again, at a limited rate.
func (v *Verifier) keysOf(ctx context.Context, url, id string) (jose.JSONWebKeySet, error) {
	v.mu.Lock()
	if v.known == nil {
		v.known = map[string]*issuer{}
	}
	i := v.known[url]
	if i == nil {
		i = &issuer{}
		v.known[url] = i
	}
	v.mu.Unlock()
	i.mu.Lock()
	defer i.mu.Unlock()
	now := v.now()
	recent := func(t time.Time) bool { return now.Sub(t).Abs() < again }
	if len(i.keys.Key(id)) > 0 || recent(i.read) {
		return i.keys, nil
	}
	for len(i.failed) > 0 && !recent(i.failed[0]) {
		i.failed = i.failed[1:]
	}
	if len(i.failed) >= tries {
		return i.keys, errors.New("too many attempts in the last minute")
	}
	fresh, err := v.fetch(ctx, url)
	if err != nil {
		i.failed = append(i.failed, now)
		return i.keys, err
	}
	i.keys, i.read, i.failed = fresh, now, nil
	return fresh, nil
}

// fetch downloads an issuer's keys. Their URL is in the issuer's configuration.
func (v *Verifier) fetch(ctx context.Context, issuer string) (keys jose.JSONWebKeySet, err error) {
	var configuration struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := v.get(ctx, strings.TrimRight(issuer, "/")+"/.well-known/openid-configuration", &configuration); err != nil {
		return keys, err
	}
	if configuration.Issuer != issuer {
		return keys, fmt.Errorf("its configuration names a different issuer, %.200q", configuration.Issuer)
	}
	return keys, v.get(ctx, configuration.JWKSURI, &keys)
}

func (v *Verifier) get(ctx context.Context, address string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(v.Patience, patience))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("its configuration has an invalid URL for the keys")
	}
	if r.URL.Scheme != "https" && !(r.URL.Scheme == "http" && httpclient.Loopback(r.URL.Hostname())) {
		return fmt.Errorf("%.200q is not an https URL", address)
	}
	resp, err := (&http.Client{Transport: v.Transport, CheckRedirect: httpclient.Refuse}).Do(r)
	if err != nil {
		return httpclient.Plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%.200q returned HTTP %d", address, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	switch {
	case err != nil:
		return httpclient.Plain(err)
	case len(text) > maxKeys:
		return fmt.Errorf("the answer of %.200q is longer than the limit of %d bytes", address, maxKeys)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("the answer of %.200q cannot be read: %w", address, err)
	}
	return nil
}
