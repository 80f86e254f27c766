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
	patience = 30 * time.Second // for an answer of an issuer, as a whole
	maxKeys  = 1 << 20          // bytes of an issuer's configuration, and of its keys

	// Whoever reaches the server can name a key that nobody knows. That has the keys read again once in this time, and,
	// where they could not be read, so often in it.
	again = time.Minute
	tries = 4
)

// issuer is what is known of an issuer. Its mutex is held while its keys are read: who needs them waits for them.
type issuer struct {
	mu     sync.Mutex
	keys   jose.JSONWebKeySet
	read   time.Time // when the keys were read; zero for not yet
	failed []time.Time
}

// keysOf are the keys of an issuer. A key that is not among them may be a new one, so that they are read again, but not as
// often as somebody asks for one.
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
		return i.keys, errors.New("it was tried often enough for a minute")
	}
	fresh, err := v.fetch(ctx, url)
	if err != nil {
		i.failed = append(i.failed, now)
		return i.keys, err
	}
	i.keys, i.read, i.failed = fresh, now, nil
	return fresh, nil
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
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(v.Patience, patience))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the address that it names cannot be used")
	}
	if r.URL.Scheme != "https" && !(r.URL.Scheme == "http" && httpclient.Loopback(r.URL.Hostname())) {
		return fmt.Errorf("%.200q is no https URL", address)
	}
	resp, err := (&http.Client{Transport: v.Transport, CheckRedirect: httpclient.Refuse}).Do(r)
	if err != nil {
		return httpclient.Plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%.200q answers HTTP %d", address, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	switch {
	case err != nil:
		return httpclient.Plain(err)
	case len(text) > maxKeys:
		return fmt.Errorf("%.200q answers more than %d bytes", address, maxKeys)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("%.200q answers what cannot be read: %w", address, err)
	}
	return nil
}
