package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hostiletest"
	"github.com/foopack/foopack/magefiles/internal/oidc"
)

// Each token is accepted only once, even if its second encoding differs. A different token for the same job is accepted.
func TestHostileReplay(t *testing.T) {
	i := start(t)
	now := time.Now()
	v := &oidc.Verifier{Issuers: []string{i.URL}, Now: func() time.Time { return now }}
	verify := func(token string) error {
		_, err := v.Verify(t.Context(), token, []string{"here"})
		return err
	}
	first, err := i.Sign("here", nil)
	require.NoError(t, err)
	second, err := i.Sign("here", nil)
	require.NoError(t, err)
	require.NoError(t, verify(first))
	parts := strings.Split(first, ".")
	for name, token := range map[string]string{
		"the same": first, "with white space": first[:40] + "\n" + first[40:] + " ",
		"with other unused bits at its end": strings.Join([]string{parts[0], parts[1], parts[2][:len(parts[2])-1] + flip(parts[2])}, "."),
	} {
		require.Error(t, verify(token), name)
	}
	require.ErrorContains(t, verify(first), "used before")
	require.NoError(t, verify(second))

	wrong, err := i.Sign("there", nil)
	require.NoError(t, err)
	require.ErrorContains(t, verify(wrong), "but here was expected")
	now = now.Add(20 * time.Minute)
	require.ErrorContains(t, verify(first), "it expired at", "a forgotten token has expired")
}

// flip changes the unused bits in the last character of base64 text. The decoded bytes do not change.
func flip(text string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(letters, text[len(text)-1])
	return string(letters[at^1])
}

// counted makes an issuer that counts requests for its keys.
func counted(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, next http.Handler)) (*oidc.Issuer, *atomic.Int32) {
	t.Helper()
	i, err := oidc.NewIssuer(oidc.GitHubClaims("octo/tools", "release.yml", "refs/tags/v1", ""))
	require.NoError(t, err)
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/openid") {
			asked.Add(1)
		}
		if answer != nil {
			answer(w, r, i)
			return
		}
		i.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	i.URL = s.URL
	return i, &asked
}

// unknown returns a token that names the issuer and an unknown key.
func unknown(t *testing.T, issuer string, n int) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: stranger(t), KeyID: fmt.Sprint("k", n)}}, nil)
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(map[string]any{"iss": issuer, "aud": "here", "exp": 9999999999}).Serialize()
	require.NoError(t, err)
	return token
}

// Tokens with unknown key IDs make the verifier fetch the keys at most once a minute. They do not cause valid tokens to be rejected.
func TestHostileKeyIDs(t *testing.T) {
	i, asked := counted(t, nil)
	now := time.Now()
	v := &oidc.Verifier{Issuers: []string{i.URL}, Now: func() time.Time { return now }}
	for n := range 30 {
		_, err := v.Verify(t.Context(), unknown(t, i.URL, n), []string{"here"})
		require.ErrorContains(t, err, "not made with a key of")
	}
	require.EqualValues(t, 1, asked.Load())
	token, err := i.Sign("here", nil)
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), token, []string{"here"})
	require.NoError(t, err)
	now = now.Add(2 * time.Minute)
	_, err = v.Verify(t.Context(), unknown(t, i.URL, 99), []string{"here"})
	require.Error(t, err)
	require.EqualValues(t, 2, asked.Load(), "a new key is found")
}

// If an issuer fails, the verifier retries a few times a minute, and accepts its tokens again after it recovers.
func TestAnIssuerThatFails(t *testing.T) {
	bad := true
	i, asked := counted(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if bad {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		next.ServeHTTP(w, r)
	})
	now := time.Now()
	v := &oidc.Verifier{Issuers: []string{i.URL}, Now: func() time.Time { return now }}
	token, err := i.Sign("here", nil)
	require.NoError(t, err)
	for range 20 {
		_, err := v.Verify(t.Context(), token, []string{"here"})
		require.ErrorContains(t, err, "cannot be read")
	}
	require.EqualValues(t, 4, asked.Load())
	bad, now = false, now.Add(61*time.Second)
	_, err = v.Verify(t.Context(), token, []string{"here"})
	require.NoError(t, err)
}

// A hostile response from an issuer or a token service costs little memory and time, and results in a one-sentence error.
func TestHostileIssuers(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
		"a trickle": hostiletest.Trickle,
		"silence":   hostiletest.Silence,
		"deep":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("[", 900<<10)) },
		"wrong types": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"issuer":[],"jwks_uri":{},"value":7}`)
		},
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "\x1b]0;x\a<html>") },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"keys elsewhere": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"http://keys.example/"}`, r.Host)
		},
		"keys in a file": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"file:///etc/passwd"}`, r.Host)
		},
		"keys nowhere": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"%%zz\n"}`, r.Host)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(answer))
			defer s.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			v := &oidc.Verifier{Issuers: []string{s.URL}, Patience: 300 * time.Millisecond}
			_, err := v.Verify(t.Context(), unknown(t, s.URL, 1), []string{"here"})
			require.Error(t, err)
			require.NotRegexp(t, `[\x00-\x1f]`, err.Error())
			ci := oidc.Detect(env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=job-secret", "ACTIONS_ID_TOKEN_REQUEST_URL="+s.URL), oidc.Options{Wait: noWait, Patience: 300 * time.Millisecond})
			_, err = ci.Token(t.Context(), "a")
			if !strings.HasPrefix(name, "keys") {
				require.Error(t, err)
				require.NotRegexp(t, `[\x00-\x1f]`, err.Error())
			}
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
			require.Less(t, time.Since(began), 10*time.Second)
		})
	}
}

// Tokens of any size and form are handled.
func TestHostileTokens(t *testing.T) {
	i := start(t)
	v := &oidc.Verifier{Issuers: []string{i.URL}}
	deep := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":` + strings.Repeat("[", 30000) + `}`))
	for _, token := range []string{"", ".", "..", "...", strings.Repeat(".", 50000), strings.Repeat("a", 60000), "e30." + deep + ".e30", "eyJhbGciOiJSUzI1NiJ9." + deep + ".AA"} {
		_, err := v.Verify(t.Context(), token, []string{"here"})
		require.Error(t, err)
	}
}

var strangersKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func stranger(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := strangersKey()
	require.NoError(t, err)
	return key
}
