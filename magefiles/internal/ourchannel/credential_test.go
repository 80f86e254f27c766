package ourchannel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/oidc"
)

// guarded is a server with private channels. It accepts one key, and ID tokens from one CI, and counts the requests that check them.
type guarded struct {
	mu           sync.Mutex
	login, mints int
	tokens       map[string]bool // tokens that read requests contained
}

const goodKey = "pfx_the_key_of_this_test"

func (a *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch r.URL.Path {
	case "/api/graphql":
		a.login++
		if token == goodKey {
			_, _ = io.WriteString(w, `{"data":{"viewer":{"login":"anna"}}}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"viewer":null}}`)
		return
	case "/api/oidc/mint_token":
		a.mints++
		_, _ = io.WriteString(w, "pfx-jwt.minted")
		return
	}
	if token != "" {
		a.tokens[token] = true
	}
	if token != goodKey && token != "pfx-jwt.minted" || !strings.HasSuffix(r.URL.Path, "/noarch/repodata.json") {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, `{"packages":{},"packages.conda":{}}`)
}

// asked starts a guarded server as the server of our channel. No credential is configured.
func asked(t *testing.T) (*guarded, *Channels, *prefixdev.Client) {
	t.Helper()
	a := &guarded{tokens: map[string]bool{}}
	web := httptest.NewServer(a)
	t.Cleanup(web.Close)
	c := New(Config{
		Server: web.URL,
		Open: func(server string) (*prefixdev.Client, error) {
			return prefixdev.New(prefixdev.Options{Server: server})
		},
	})
	client, err := c.Client()
	require.NoError(t, err)
	return a, c, client
}

// All channels that a run opens on our server share one credential. The server is asked for its owner only once. Opening a channel again returns
// the same object.
func TestOneCredentialForARun(t *testing.T) {
	server, a, client := asked(t)
	a.Sources.APIKey = goodKey
	for _, name := range []string{"one", "two", "one"} {
		c, err := a.On(client, name)
		require.NoError(t, err)
		private, err := c.Private(t.Context())
		require.NoError(t, err)
		require.True(t, private)
		same, err := a.On(client, name)
		require.NoError(t, err)
		require.Same(t, c, same)
		access, err := c.Authorize(t.Context())
		require.NoError(t, err)
		require.Equal(t, "anna", access.Account)
	}
	require.Equal(t, 1, server.login)
	require.Equal(t, map[string]bool{goodKey: true}, server.tokens)
}

// Our credential is never sent to another server, even for a channel with the same name as ours.
func TestNoOtherServerGetsOurCredential(t *testing.T) {
	_, a, _ := asked(t)
	a.Sources.APIKey = goodKey
	other := &guarded{tokens: map[string]bool{}}
	web := httptest.NewServer(other)
	t.Cleanup(web.Close)
	client, err := prefixdev.New(prefixdev.Options{Server: web.URL})
	require.NoError(t, err)
	c, err := a.On(client, "one")
	require.NoError(t, err)
	_, err = c.Records(t.Context(), "noarch", "a")
	require.Error(t, err)
	_, err = c.Authorize(t.Context())
	require.ErrorIs(t, err, prefixdev.ErrNone)
	require.Zero(t, other.login)
	require.Empty(t, other.tokens)
}

// A run that only reads does not request an ID token, because the token can be used only once. If there is another credential, it uses that.
func TestReadingNeedsNoIDToken(t *testing.T) {
	for name, c := range map[string]struct {
		publishes, key, file bool
		mints                int
		sees                 bool
	}{
		"it reads, and there is nothing else": {},
		"it reads, with a key":                {key: true, sees: true},
		"it reads, with a file":               {file: true, sees: true},
		"it publishes":                        {publishes: true, mints: 1, sees: true},
		"it publishes, and there is a file":   {publishes: true, file: true, mints: 1, sees: true},
		"it publishes with a key":             {publishes: true, key: true, sees: true},
	} {
		t.Run(name, func(t *testing.T) {
			server, a, client := asked(t)
			a.Sources.CI = oidc.Detect(func(name string) string {
				return map[string]string{"GITLAB_CI": "true", "127_0_0_1_ID_TOKEN": "an.id.token"}[name]
			}, oidc.Options{})
			if c.key {
				a.Sources.APIKey = goodKey
			}
			if c.file {
				file := filepath.Join(t.TempDir(), "credentials.json")
				require.NoError(t, os.WriteFile(file, []byte(`{"127.0.0.1":{"BearerToken":"`+goodKey+`"}}`), 0o600))
				a.Sources.Files = []string{file}
			}
			if c.publishes {
				a.ToPublish()
			}
			ours, err := a.On(client, "one")
			require.NoError(t, err)
			private, err := ours.Private(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.sees, private)
			require.Equal(t, c.mints, server.mints)
			if !c.sees {
				require.ErrorIs(t, ours.Unseen(), prefixdev.ErrNone)
				require.ErrorContains(t, ours.Unseen(), "no ID token of GitLab CI, because only a command that publishes asks for an ID token")
			}
		})
	}
}

// If the server rejects the key, the channel is not reported as missing.
func TestUnknownKey(t *testing.T) {
	server, a, client := asked(t)
	a.Sources.APIKey = "pfx_of_somebody_else"
	c, err := a.On(client, "one")
	require.NoError(t, err)
	private, err := c.Private(t.Context())
	require.NoError(t, err)
	require.False(t, private)
	require.ErrorContains(t, c.Unseen(), "does not know the token of the API key in PREFIX_API_KEY")
	require.Empty(t, server.tokens, "it is not sent to be read with")
}

// If a caller cancels while the server is asked for a key's owner, nothing is cached, and the next caller asks again.
func TestCanceledCallerCachesNothing(t *testing.T) {
	server, a, client := asked(t)
	a.Sources.APIKey = goodKey
	c, err := a.On(client, "one")
	require.NoError(t, err)
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a person pressed Ctrl-C"))
	_, err = c.Authorize(ended)
	require.ErrorContains(t, err, "pressed Ctrl-C")
	access, err := c.Authorize(t.Context())
	require.NoError(t, err)
	require.Equal(t, "anna", access.Account)
	require.Equal(t, 1, server.login)
}
