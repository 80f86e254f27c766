package oidc_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

func start(t *testing.T) *oidc.Issuer {
	t.Helper()
	i, err := oidc.NewIssuer(oidc.GitHubClaims("octo/tools", "release.yml", "refs/tags/v1", ""))
	require.NoError(t, err)
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	i.URL = s.URL
	return i
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, kv := range pairs {
			if k, v, _ := strings.Cut(kv, "="); k == name {
				return v
			}
		}
		return ""
	}
}

func noWait(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }

// A job gets an ID token that describes the job and is valid only for the requested audience.
func TestATokenIsGoodForItsAudience(t *testing.T) {
	i := start(t)
	ci := oidc.Detect(env(i.Environ()...), oidc.Options{})
	require.Equal(t, "GitHub Actions", ci.Name())
	token, err := ci.Token(t.Context(), "prefix.example")
	require.NoError(t, err)

	v := &oidc.Verifier{Issuers: []string{i.URL}}
	claims, err := v.Verify(t.Context(), token, []string{"other", "prefix.example"})
	require.NoError(t, err)
	require.Equal(t, "octo/tools", claims["repository"])
	require.Equal(t, "octo/tools/.github/workflows/release.yml@refs/tags/v1", claims["workflow_ref"])
	require.Equal(t, "repo:octo/tools:ref:refs/tags/v1", claims["sub"])
}

func TestWhatIsRefused(t *testing.T) {
	i, stranger := start(t), start(t)
	sign := func(claims map[string]any) string {
		token, err := i.Sign("here", claims)
		require.NoError(t, err)
		return token
	}
	good := sign(nil)
	parts := strings.Split(good, ".")
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf(`{"iss":%q,"aud":"here","exp":9999999999,"iat":1}`, i.URL))) + "." + parts[2]
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	impostor, err := stranger.Sign("here", map[string]any{"iss": i.URL})
	require.NoError(t, err)
	elsewhere, err := stranger.Sign("here", nil)
	require.NoError(t, err)
	hour := time.Hour
	for name, c := range map[string]struct{ token, says string }{
		"nothing":                      {"", "not a signed ID token"},
		"no algorithm":                 {none, "not a signed ID token"},
		"other claims":                 {forged, "not made with a key of"},
		"another's key":                {impostor, "not made with a key of"},
		"an issuer that is not listed": {elsewhere, "is not one of"},
		"another audience":             {sign(map[string]any{"aud": "there"}), "but here was expected"},
		"ended":                        {sign(map[string]any{"exp": time.Now().Add(-hour).Unix()}), "it expired at"},
		"not valid yet":                {sign(map[string]any{"nbf": time.Now().Add(hour).Unix()}), "not valid yet"},
		"without an expiry":            {sign(map[string]any{"exp": nil}), "does not state when"},
	} {
		v := &oidc.Verifier{Issuers: []string{i.URL}}
		_, err := v.Verify(t.Context(), c.token, []string{"here"})
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), parts[2])
	}
	v := &oidc.Verifier{Issuers: []string{i.URL}, Now: func() time.Time { return time.Now().Add(hour) }}
	_, err = v.Verify(t.Context(), good, []string{"here"})
	require.ErrorContains(t, err, "it expired at")
}

// An issuer is rejected if its configuration names a different issuer.
func TestConfigurationOfAnotherIssuer(t *testing.T) {
	i := start(t)
	liar := httptest.NewServer(i)
	defer liar.Close()
	token, err := i.Sign("here", map[string]any{"iss": liar.URL})
	require.NoError(t, err)
	_, err = (&oidc.Verifier{Issuers: []string{liar.URL}}).Verify(t.Context(), token, []string{"here"})
	require.ErrorContains(t, err, "names a different issuer")
	plain := &oidc.Verifier{Issuers: []string{"http://issuer.example"}}
	token, err = i.Sign("here", map[string]any{"iss": "http://issuer.example"})
	require.NoError(t, err)
	_, err = plain.Verify(t.Context(), token, []string{"here"})
	require.ErrorContains(t, err, "not an https URL")
}

func TestWhichCI(t *testing.T) {
	require.Nil(t, oidc.Detect(env("GITHUB_ACTIONS=1", "GITLAB_CI=TRUE", "CI=true"), oidc.Options{}), "exactly true")
	require.Equal(t, "GitHub Actions", oidc.Detect(env("GITHUB_ACTIONS=true", "GITLAB_CI=true"), oidc.Options{}).Name())
	lab := oidc.Detect(env("GITLAB_CI=true", "PREFIX_DEV_ID_TOKEN=one", "127_0_0_1_ID_TOKEN=two"), oidc.Options{})
	for audience, want := range map[string]string{"prefix.dev": "one", "127.0.0.1": "two"} {
		token, err := lab.Token(t.Context(), audience)
		require.NoError(t, err)
		require.Equal(t, want, token)
	}
	_, err := lab.Token(t.Context(), "conda.example")
	require.ErrorContains(t, err, "CONDA_EXAMPLE_ID_TOKEN is not set")
	require.Contains(t, fmt.Sprintf("%+v", err), "id_tokens: {CONDA_EXAMPLE_ID_TOKEN: {aud: conda.example}}")
}

// If a job gets no token, the error has a next step and contains no secret.
func TestGitHubErrors(t *testing.T) {
	_, err := oidc.Detect(env("GITHUB_ACTIONS=true"), oidc.Options{}).Token(t.Context(), "a")
	require.ErrorContains(t, err, "offers this job no ID token")
	require.Contains(t, fmt.Sprintf("%+v", err), "id-token: write")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))

	for status, asked := range map[int]int{500: 4, 429: 4, 408: 4, 401: 1, 403: 1, 302: 1} {
		n := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			require.Equal(t, "Bearer job-secret", r.Header.Get("Authorization"))
			require.Equal(t, "api-version=2.0&audience=a", r.URL.RawQuery, "the existing query is kept")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		ci := oidc.Detect(env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=job-secret",
			"ACTIONS_ID_TOKEN_REQUEST_URL="+s.URL+"/token?api-version=2.0"), oidc.Options{Wait: noWait})
		_, err := ci.Token(t.Context(), "a")
		s.Close()
		require.ErrorContains(t, err, fmt.Sprintf("HTTP %d", status))
		require.Equal(t, asked, n, status)
		require.NotContains(t, fmt.Sprintf("%+v", err), "job-secret")
	}
	for _, address := range []string{"http://issuer.example/token", "ftp://x", "%zz"} {
		ci := oidc.Detect(env("GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=s", "ACTIONS_ID_TOKEN_REQUEST_URL="+address), oidc.Options{Wait: noWait})
		_, err := ci.Token(t.Context(), "a")
		require.ErrorContains(t, err, "not an https URL")
	}
}

func TestClaimsOfAJob(t *testing.T) {
	i := start(t)
	for path, status := range map[string]int{"/token?audience=x": 401, "/nothing": 404, "/.well-known/jwks": 200} {
		resp, err := http.Get(i.URL + path)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, status, resp.StatusCode, path)
	}
}

// Workflow files can request a token with curl, as in GitHub's documentation.
func TestTokenByCurl(t *testing.T) {
	i := start(t)
	token := strings.TrimPrefix(i.Environ()[2], "ACTIONS_ID_TOKEN_REQUEST_TOKEN=")
	for header, status := range map[string]int{"Bearer " + token: 200, "bearer " + token: 200, token: 401, "Basic " + token: 401, "bearer": 401} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, i.URL+"/token?audience=x", strings.NewReader("{}"))
			require.NoError(t, err)
			r.Header.Set("Authorization", header)
			resp, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, status, resp.StatusCode, method+" "+header)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct{ environment, plain, immutable string }{
		{"", "repo:octo/tools:ref:refs/tags/v1", "repo:octo@123/tools@456:ref:refs/tags/v1"},
		{"release", "repo:octo/tools:environment:release", "repo:octo@123/tools@456:environment:release"},
	} {
		claims := oidc.GitHubClaims("octo/tools", "release.yml", "refs/tags/v1", c.environment)
		require.Equal(t, c.plain, claims["sub"])
		require.Equal(t, c.immutable, oidc.Immutable(claims, "123", "456")["sub"])
		require.Equal(t, "456", claims["repository_id"])
	}
}
