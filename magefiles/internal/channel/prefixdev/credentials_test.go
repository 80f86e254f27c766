package prefixdev_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ci is a CI that issues ID tokens for any audience, or fails.
type ci struct {
	asked []string
	err   error
}

func (*ci) Name() string { return "a CI" }

func (c *ci) Token(_ context.Context, audience string) (string, error) {
	c.asked = append(c.asked, audience)
	return "id-token-of-the-test", c.err
}

// minter starts a server that exchanges ID tokens.
func minter(t *testing.T, status int, answer string) (*prefixdev.Client, *int) {
	t.Helper()
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		require.Equal(t, "/api/oidc/mint_token", r.URL.Path, "at the origin, regardless of the path in the server's address")
		require.Empty(t, r.Header.Get("Authorization"))
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.JSONEq(t, `{"token":"id-token-of-the-test"}`, string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	c, err := prefixdev.New(prefixdev.Options{Server: s.URL + "/base/path", Wait: (&waits{}).wait})
	require.NoError(t, err)
	return c, &asked
}

func authFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// The API key has precedence over the CI, and the CI over the files. Descriptions of a source do not contain its token.
func TestPrecedence(t *testing.T) {
	c, asked := minter(t, 200, "pfx-jwt.minted")
	file := authFile(t, `{"127.0.0.1":{"BearerToken":"pfx_of_the_file"}}`)
	s := prefixdev.Sources{APIKey: "pfx_of_the_key", CI: &ci{}, Files: []string{"/nowhere/else.json", file}}
	got, err := s.Credential(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, prefixdev.Credential{Token: "pfx_of_the_key", Source: "the API key in PREFIX_API_KEY"}, got)
	require.Zero(t, *asked)

	s.APIKey = ""
	got, err = s.Credential(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, prefixdev.Credential{Token: "pfx-jwt.minted", Source: "trusted publishing from a CI", Minted: true}, got)
	require.Equal(t, []string{"127.0.0.1"}, s.CI.(*ci).asked, "the host without its port")

	s.CI = nil
	got, err = s.Credential(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, prefixdev.Token("pfx_of_the_file"), got.Token)
	require.Equal(t, "the entry 127.0.0.1 of "+file, got.Source)
	require.NotContains(t, fmt.Sprintf("%+v %v", got, got), "pfx_of")

	s.Files = s.Files[:1]
	_, err = s.Credential(t.Context(), c)
	require.ErrorContains(t, err, "no PREFIX_API_KEY, no CI job that offers ID tokens, and no entry in /nowhere/else.json")
	require.Contains(t, fmt.Sprintf("%+v", err), "pixi auth login")
}

func TestAudienceIsTheServer(t *testing.T) {
	for server, audience := range map[string]string{
		"https://prefix.dev": "prefix.dev", "https://repo.prefix.dev": "prefix.dev", "https://Conda.Example:8443/x": "conda.example",
		"https://evilprefix.dev": "evilprefix.dev", "https://prefix.dev.evil.example": "prefix.dev.evil.example",
	} {
		c, err := prefixdev.New(prefixdev.Options{Server: server})
		require.NoError(t, err)
		one := &ci{err: errors.New("that is enough")}
		_, err = prefixdev.Sources{CI: one}.Credential(t.Context(), c)
		require.ErrorContains(t, err, "that is enough")
		require.Equal(t, []string{audience}, one.asked, server)
	}
	one := &ci{}
	c, err := prefixdev.New(prefixdev.Options{Server: "http://conda.example"})
	require.NoError(t, err)
	_, err = prefixdev.Sources{CI: one}.Credential(t.Context(), c)
	require.ErrorContains(t, err, "plain http")
	require.Empty(t, one.asked, "an ID token is a secret, too")
}

// In a CI that can issue ID tokens, a failure is an error with its likely cause, even if a file has a credential.
func TestFailedTrustedPublishingIsAnError(t *testing.T) {
	file := authFile(t, `{"127.0.0.1":{"BearerToken":"pfx_of_the_file"}}`)
	for name, c := range map[string]struct {
		status int
		answer string
		asked  int
		says   string
	}{
		"no publisher": {403, "no channel trusts the repository", 1, "HTTP 403: no channel trusts the repository"},
		"not valid":    {422, "", 1, "HTTP 422"},
		"redirect":     {302, "", 1, "redirects"},
		"broken":       {500, "", 4, "HTTP 500"},
		"limited":      {429, "", 4, "HTTP 429"},
		"a newline":    {200, "pfx\n", 1, "white space"},
		"JSON":         {200, `{"token":"pfx"}`, 1, "is not a token"},
		"a page":       {200, "<html>", 1, "is not a token"},
		"nothing":      {200, "", 1, "is not a token"},
	} {
		client, asked := minter(t, c.status, c.answer)
		_, err := prefixdev.Sources{CI: &ci{}, Files: []string{file}}.Credential(t.Context(), client)
		require.ErrorContains(t, err, c.says, name)
		require.Contains(t, fmt.Sprintf("%+v", err), "register this repository and this workflow as a trusted publisher", name)
		require.NotContains(t, fmt.Sprintf("%+v", err), "id-token-of-the-test")
		require.Equal(t, c.asked, *asked, name)
	}
	client, _ := minter(t, 200, "x")
	missing := operr.New("give the job `permissions: id-token: write`", "no ID token")
	_, err := prefixdev.Sources{CI: &ci{err: missing}, Files: []string{file}}.Credential(t.Context(), client)
	require.Contains(t, fmt.Sprintf("%+v", err), "trusted publishing: no ID token\n→ give the job `permissions: id-token: write`")
}

// Entries are looked up in the same way as in the rattler tools.
func TestCredentialFiles(t *testing.T) {
	now := func() time.Time { return time.Unix(1000, 0) }
	for name, c := range map[string]struct{ server, file, token, says string }{
		"exact":                  {"https://prefix.dev", `{"prefix.dev":{"BearerToken":"token-of-a"},"*.prefix.dev":{"BearerToken":"token-of-b"}}`, "token-of-a", ""},
		"wildcard":               {"https://prefix.dev", `{"*.prefix.dev":{"BearerToken":"token-of-b"}}`, "token-of-b", ""},
		"parent":                 {"https://repo.prefix.dev", `{"*.prefix.dev":{"BearerToken":"token-of-b"}}`, "token-of-b", ""},
		"nearest":                {"https://a.b.example", `{"*.example":{"BearerToken":"token-of-x"},"*.b.example":{"BearerToken":"token-of-y"}}`, "token-of-y", ""},
		"no port":                {"http://127.0.0.1:8080", `{"127.0.0.1:8080":{"BearerToken":"token-of-a"},"127.0.0.1":{"BearerToken":"token-of-b"}}`, "token-of-b", ""},
		"numbers":                {"http://127.0.0.1:8080", `{"*.0.0.1":{"BearerToken":"token-of-a"}}`, "", "no entry"},
		"none":                   {"https://prefix.dev", `{"*.other.dev":{"BearerToken":"token-of-b"}}`, "", "no entry"},
		"login":                  {"https://prefix.dev", `{"prefix.dev":{"OAuth":{"access_token":"token-of-o","expires_at":1001}}}`, "token-of-o", ""},
		"a login without an end": {"https://prefix.dev", `{"prefix.dev":{"OAuth":{"access_token":"token-of-o","expires_at":null}}}`, "token-of-o", ""},
		"an expired login":       {"https://prefix.dev", `{"prefix.dev":{"OAuth":{"access_token":"token-of-o","expires_at":1000}}}`, "", "has expired"},
		"a login of conda":       {"https://prefix.dev", `{"prefix.dev":{"CondaToken":"secret"}}`, "", "cannot upload"},
		"basic":                  {"https://prefix.dev", `{"prefix.dev":{"BasicHTTP":{"username":"u","password":"secret"}}}`, "", "cannot upload"},
		"broken entry":           {"https://prefix.dev", `{"prefix.dev":{"BearerToken":["secret"]}}`, "", "has an unexpected form"},
		"broken file":            {"https://prefix.dev", `{"prefix.dev": secret`, "", "are not a JSON object"},
		"short":                  {"https://prefix.dev", `{"prefix.dev":{"BearerToken":"pfx_"}}`, "", "has 4 characters"},
		"white space":            {"https://prefix.dev", `{"prefix.dev":{"BearerToken":"secret\n"}}`, "", "white space"},
	} {
		client, err := prefixdev.New(prefixdev.Options{Server: c.server})
		require.NoError(t, err)
		got, err := prefixdev.Sources{Files: []string{authFile(t, c.file)}, Now: now}.Credential(t.Context(), client)
		if c.says != "" {
			require.ErrorContains(t, err, c.says, name)
			require.NotContains(t, fmt.Sprintf("%+v", err), "secret", name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, prefixdev.Token(c.token), got.Token, name)
	}
}

func TestLogin(t *testing.T) {
	answers := map[string]string{
		"Bearer known": `{"data":{"viewer":{"login":"octo"}}}`, "Bearer unknown": `{"data":{"viewer":null}}`, "Bearer odd": `<html>`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		require.JSONEq(t, `{"query":"query { viewer { login } }"}`, string(body))
		require.Equal(t, "/api/graphql", r.URL.Path)
		answer, ok := answers[r.Header.Get("Authorization")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	c, err := prefixdev.New(prefixdev.Options{Server: s.URL})
	require.NoError(t, err)
	for token, want := range map[string]string{"known": "octo", "unknown": ""} {
		got, err := c.Login(t.Context(), prefixdev.Token(token))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, token := range []string{"odd", "other"} {
		_, err := c.Login(t.Context(), prefixdev.Token(token))
		require.ErrorContains(t, err, "which account has the token")
		require.False(t, strings.Contains(err.Error(), token+"\n"))
	}
}
