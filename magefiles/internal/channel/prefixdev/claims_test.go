package prefixdev_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
)

// claiming is a CI that issues the given ID token.
type claiming struct{ token string }

func (claiming) Name() string { return "a CI" }

func (c claiming) Token(context.Context, string) (string, error) { return c.token, nil }

func idToken(t *testing.T, claims any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl"
}

// If a publisher is not registered, the error lists the claims with which it must be registered. Users could not guess them for a reusable
// workflow or an environment.
func TestErrorListsTheClaimsOfAPublisher(t *testing.T) {
	const here, shared = "o/r/.github/workflows/release.yml@refs/tags/v1", "o/shared/.github/workflows/p.yml@refs/heads/main"
	for name, c := range map[string]struct {
		token       string
		says, never []string
	}{
		"GitHub": {
			token: idToken(t, map[string]any{"repository": "o/r", "workflow_ref": here, "job_workflow_ref": here, "environment": "pypi", "sub": "s"}),
			says:  []string{"repository: o/r", "workflow_ref: " + here, "environment: pypi", "with the same values as in the ID token"},
			never: []string{"job_workflow_ref", "sub:"},
		},
		"GitHub: a reusable workflow without an environment": {
			token: idToken(t, map[string]any{"repository": "o/r", "workflow_ref": here, "job_workflow_ref": shared}),
			says:  []string{"job_workflow_ref: " + shared, "environment: (none)"},
			never: nil,
		},
		"GitLab": {
			token: idToken(t, map[string]any{"project_path": "g/s/p", "ci_config_ref_uri": "gitlab.example/g/s/p//.gitlab-ci.yml@refs/tags/v1", "ref_type": "tag", "ref": "v1", "ref_protected": "false"}),
			says:  []string{"project_path: g/s/p", "ci_config_ref_uri: gitlab.example/g/s/p//.gitlab-ci.yml@refs/tags/v1", "ref_type: tag", "ref_protected: false", "environment: (none)"},
			never: []string{"repository:"},
		},
		"another issuer":                    {idToken(t, map[string]any{"iss": "https://ci.example", "sub": "job:1"}), []string{"sub: job:1", "iss: https://ci.example"}, nil},
		"hostile claims":                    {idToken(t, map[string]any{"repository": "o/r\x1b[2J\n::error::x", "workflow_ref": []int{1}}), []string{`o/r\x1b[2J ::error::x`}, []string{"\x1b"}},
		"no claims":                         {idToken(t, []int{1}), []string{"register this repository"}, []string{"says:", "the same values"}},
		"not a token":                       {"just-some-word", []string{"register this repository"}, []string{"says:"}},
		"a payload without end":             {"e30." + strings.Repeat("A", 1<<20), []string{"register this repository"}, []string{"AAAA"}},
		"padded base64, as of some issuers": {"e30." + base64.URLEncoding.EncodeToString([]byte(`{"repository":"padded/r"}`)) + ".c2ln", []string{"repository: padded/r"}, nil},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "No trusted publisher found", http.StatusForbidden)
		}))
		t.Cleanup(s.Close)
		client, err := prefixdev.New(prefixdev.Options{Server: s.URL, Wait: (&waits{}).wait})
		require.NoError(t, err)
		_, err = prefixdev.Sources{CI: claiming{c.token}}.Credential(t.Context(), client)
		text := fmt.Sprintf("%+v", err)
		for _, want := range c.says {
			require.Contains(t, text, want, name)
		}
		for _, never := range append(c.never, "c2lnbmF0dXJl") {
			require.NotContains(t, text, never, name)
		}
		s.Close()
		if name == "GitHub" { // there is no response, so the claims are not the reason
			_, err = prefixdev.Sources{CI: claiming{c.token}}.Credential(t.Context(), client)
			require.NotContains(t, fmt.Sprintf("%+v", err), "pypi")
		}
	}
}

// The error explains that keyrings are not read, because a user whose token is in a keyring has already logged in. It distinguishes a missing
// file from a missing entry.
func TestErrorWithoutACredential(t *testing.T) {
	other := authFile(t, `{"other.example":{"BearerToken":"token-of-b"}}`)
	gone := filepath.Join(t.TempDir(), "auth.json")
	folder := filepath.Join(t.TempDir(), "no", "auth.json")
	client, err := prefixdev.New(prefixdev.Options{Server: "https://conda.example:8443/base"})
	require.NoError(t, err)
	for _, c := range []struct {
		files []string
		says  string
	}{
		{nil, "no CI job that offers ID tokens (this program does not read the system's keyring"},
		{[]string{other}, "no entry in " + other + " (this program does not read the system's keyring"},
		{[]string{gone, other}, "no entry in " + gone + ", which does not exist; or " + other + " (this"},
		{[]string{folder}, "no entry in " + folder + ", which does not exist (this"},
		{[]string{"~/x.json"}, "no entry in ~/x.json, which does not exist (write the path of your home folder instead of ~) (this"},
		{[]string{"$HOME/x.json"}, "no entry in $HOME/x.json, which does not exist (this"},
	} {
		_, err := prefixdev.Sources{Files: c.files}.Credential(t.Context(), client)
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, "does not read the system's keyring")
		require.Contains(t, fmt.Sprintf("%+v", err), "RATTLER_AUTH_FILE=FILE pixi auth login conda.example`")
	}
}

// If a credential file is invalid, the next step is a login that writes to this file and not to the keyring.
func TestLoginWritesTheFileThatIsRead(t *testing.T) {
	client, err := prefixdev.New(prefixdev.Options{Server: "https://conda.example"})
	require.NoError(t, err)
	for _, text := range []string{`{`, `{"conda.example":[]}`, `{"conda.example":{"CondaToken":"x"}}`, `{"conda.example":{"OAuth":{"access_token":"abcdefgh","expires_at":1}}}`} {
		file := authFile(t, text)
		_, err := prefixdev.Sources{Files: []string{file}}.Credential(t.Context(), client)
		require.Contains(t, fmt.Sprintf("%+v", err), "RATTLER_AUTH_FILE="+file+" pixi auth login conda.example", text)
		require.NoError(t, os.Remove(file))
	}
}

// If the response is an HTML page, the error contains its title. If the page denies access, the next step assumes that it is from a proxy and not
// from the channel.
func TestHTMLPageInsteadOfTheChannel(t *testing.T) {
	const page = "<!DOCTYPE html>\n<html lang=en><head><style>p{}</style><title>%s</title></head><body><script>x()</script></body></html>"
	for code, c := range map[int]struct{ title, shown, next string }{
		403: {"Blocked &amp; logged by Acme", "Blocked & logged by Acme", "NO_PROXY"}, 401: {"Sign in", "Sign in", "NO_PROXY"},
		451: {"Not here", "Not here", "NO_PROXY"}, 413: {"413 Request Entity Too Large", "413 Request Entity Too Large", "make the package smaller"},
		422: {"", "an HTML page without a title", "build the package again"},
	} {
		remote, _ := start(t, &script{answers: []func(http.ResponseWriter, *http.Request){status(code, fmt.Sprintf(page, c.title))}})
		_, err := remote.Put(t.Context(), upload(t))
		text := fmt.Sprintf("%+v", err)
		require.Contains(t, text, fmt.Sprintf("HTTP %d: %s\n", code, c.shown))
		require.Contains(t, text[strings.Index(text, "→"):], c.next, code)
		require.NotContains(t, text, "<", code)
		require.NotContains(t, text, "x()", code)
	}
	remote, _ := start(t, &script{answers: []func(http.ResponseWriter, *http.Request){status(403, `{"message": "no such right"}`)}})
	_, err := remote.Put(t.Context(), upload(t))
	require.NotContains(t, fmt.Sprintf("%+v", err), "NO_PROXY", "the error of the channel itself")
}
