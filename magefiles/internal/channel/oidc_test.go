package channel_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// trusting is an embedded server that trusts a GitHub workflow and a GitLab CI file, with the token services of both CIs.
type trusting struct {
	url            string
	github, gitlab *oidc.Issuer
	access         *server.Access
}

func trust(t *testing.T) trusting {
	t.Helper()
	issuer := func(claims map[string]any) *oidc.Issuer {
		i, err := oidc.NewIssuer(claims)
		require.NoError(t, err)
		h := httptest.NewServer(i)
		t.Cleanup(h.Close)
		i.URL = h.URL
		return i
	}
	w := trusting{
		github: issuer(oidc.GitHubClaims("octo/tools", "release.yml", "refs/tags/v1", "")),
		gitlab: issuer(channeltest.GitLabClaims("group/sub/tools", ".gitlab-ci.yml", "v1")),
	}
	w.access = &server.Access{
		Key:       key,
		Account:   "octo",
		Private:   []string{"hidden"},
		Audiences: []string{"127.0.0.1"},
		IDTokens:  &oidc.Verifier{Issuers: []string{w.github.URL, w.gitlab.URL}},
		Publishers: []server.Publisher{
			{Channel: "demo", Issuer: w.github.URL, Repository: "Octo/Tools", Workflow: "release.yml"},
			{Channel: "hidden", Issuer: w.github.URL, Repository: "octo/tools", Environment: "production"},
			{Channel: "lab", Issuer: w.gitlab.URL, Repository: "group/sub/tools", Workflow: ".gitlab-ci.yml"},
		},
	}
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	h := httptest.NewServer(server.New(s, server.Options{Authorize: w.access.Authorize, Accounts: w.access, Spool: s.Incoming()}))
	t.Cleanup(func() {
		h.Close()
		require.NoError(t, s.Close())
	})
	w.url = h.URL
	return w
}

// py-rattler-build's uploader runs in a GitHub job, in a GitLab job, and in an untrusted job.
func TestTheRealUploaderAsATrustedPublisher(t *testing.T) {
	w := trust(t)
	file := condapkgtest.Package{Name: "a"}.Write(t, t.TempDir())
	require.Empty(t, rattlertest.Upload{Server: w.url, Channel: "demo", Files: []string{file}, Env: w.github.Environ()}.Run(t))
	require.Len(t, channeltest.Index(t, client(t, w.url), "noarch"), 1)

	says := rattlertest.Upload{Server: w.url, Channel: "lab", Files: []string{file}, Env: w.github.Environ()}.Run(t)
	require.Contains(t, says, "HTTP 403", "the token is for another channel")
	require.Contains(t, says, `the token is for demo, not for the channel "lab"`)

	id, err := w.gitlab.Sign("127.0.0.1", nil)
	require.NoError(t, err)
	lab := []string{"GITLAB_CI=true", "127_0_0_1_ID_TOKEN=" + id}
	require.Empty(t, rattlertest.Upload{Server: w.url, Channel: "lab", Files: []string{file}, Env: lab}.Run(t))

	w.github.Claims["repository"] = "mallory/tools"
	says = rattlertest.Upload{Server: w.url, Channel: "demo", Files: []string{file}, Env: w.github.Environ()}.Run(t)
	require.Contains(t, says, "no prefix.dev API key provided", "the real uploader continues, and hides the reason")
}

// Our client runs in the same jobs. If it fails, its error has the reason.
func TestOurClientAsATrustedPublisher(t *testing.T) {
	w := trust(t)
	c, err := prefixdev.New(prefixdev.Options{Server: w.url, Wait: func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }})
	require.NoError(t, err)
	as := func(i *oidc.Issuer) (prefixdev.Credential, error) {
		env := map[string]string{}
		for _, kv := range i.Environ() {
			for n := range kv {
				if kv[n] == '=' {
					env[kv[:n]] = kv[n+1:]
					break
				}
			}
		}
		return prefixdev.Sources{CI: oidc.Detect(func(name string) string { return env[name] }, oidc.Options{})}.Credential(t.Context(), c)
	}
	got, err := as(w.github)
	require.NoError(t, err)
	writer, err := c.With(got.Token)
	require.NoError(t, err)
	demo, err := writer.Channel("demo")
	require.NoError(t, err)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	_, err = demo.Put(t.Context(), u)
	require.NoError(t, err)
	require.ErrorIs(t, demo.Delete(t.Context(), "noarch", u.File), channel.ErrForbidden, "a publisher may only upload")
	login, err := c.Login(t.Context(), got.Token)
	require.NoError(t, err)
	require.Empty(t, login, "a job has no account")
	login, err = c.Login(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "octo", login)

	later := time.Now().Add(time.Hour)
	w.access.Now = func() time.Time { return later }
	_, err = demo.Put(t.Context(), channeltest.Upload(t, condapkgtest.Package{Name: "b"}))
	require.ErrorIs(t, err, channel.ErrUnauthorized, "a minted token expires")
	w.access.Now = nil

	for name, claims := range map[string]map[string]any{
		"another repository":                {"repository": "mallory/tools"},
		"another workflow":                  {"workflow_ref": "octo/tools/.github/workflows/ci.yml@refs/heads/main"},
		"another's workflow":                {"workflow_ref": "mallory/tools/.github/workflows/release.yml@refs/heads/main"},
		"no repository":                     {"repository": ""},
		"GitLab's claims":                   {"project_path": "octo/tools", "ci_config_ref_uri": "x//release.yml@y", "repository": "", "iss": w.gitlab.URL},
		"ended an hour ago":                 {"exp": time.Now().Add(-time.Hour).Unix()},
		"an issuer that no publisher names": {"iss": "https://issuer.example"},
	} {
		saved := w.github.Claims
		w.github.Claims = map[string]any{}
		for k, v := range saved {
			w.github.Claims[k] = v
		}
		for k, v := range claims {
			w.github.Claims[k] = v
		}
		_, err := as(w.github)
		require.Error(t, err, name)
		w.github.Claims = saved
	}
}

// Without a token, a private channel does not seem to exist. The server does not respond with 401, because clients would stop at it. With a
// token, the channel behaves like any other.
func TestAPrivateChannel(t *testing.T) {
	w := trust(t)
	conformance := func(t *testing.T) channel.Channel {
		w := trust(t)
		c, err := prefixdev.New(prefixdev.Options{Server: w.url, Token: key})
		require.NoError(t, err)
		hidden, err := c.Channel("hidden")
		require.NoError(t, err)
		private, err := hidden.Private(t.Context())
		require.NoError(t, err)
		require.False(t, private, "the channel does not exist yet")
		u := channeltest.Upload(t, condapkgtest.Package{Name: "first"})
		_, err = hidden.Put(t.Context(), u)
		require.NoError(t, err)
		private, err = hidden.Private(t.Context())
		require.NoError(t, err)
		require.True(t, private)
		require.NoError(t, hidden.Delete(t.Context(), "noarch", u.File))
		return hidden
	}
	hidden := conformance(t)
	require.Empty(t, channeltest.Index(t, hidden, "noarch"))
	channeltest.Run(t, conformance)

	stranger, err := prefixdev.New(prefixdev.Options{Server: w.url})
	require.NoError(t, err)
	seen, err := stranger.Channel("hidden")
	require.NoError(t, err)
	_, err = seen.Records(t.Context(), "noarch")
	require.ErrorIs(t, err, channel.ErrNotFound)
	demo := client(t, w.url)
	_, err = demo.Put(t.Context(), channeltest.Upload(t, condapkgtest.Package{Name: "a"}))
	require.NoError(t, err)
	private, err := demo.Private(t.Context())
	require.NoError(t, err)
	require.False(t, private, "the public channel is read without a token")
}

// Reindex finds artifacts that were copied into the folder.
func TestReindex(t *testing.T) {
	url, dir, s := serve(t)
	_, err := s.Create(t.Context(), "demo")
	require.NoError(t, err)
	remote := client(t, url)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "gone"})
	_, err = remote.Put(t.Context(), u)
	require.NoError(t, err)
	condapkgtest.Package{Name: "copied"}.Write(t, dir+"/demo/noarch")
	require.NoError(t, os.Remove(dir+"/demo/noarch/"+u.File))
	for token, status := range map[string]int{"": 401, key: 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/reindex/demo/noarch", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, status, resp.StatusCode)
	}
	index := channeltest.Index(t, remote, "noarch")
	require.Len(t, index, 1)
	require.Contains(t, index, "copied-1.0-pyh4616a5c_0.conda")
}

// Channels that are wrapped by Faulty pass the tests of channeltest, and ReadOnly rejects changes.
func TestWrappers(t *testing.T) {
	open := func(t *testing.T) channel.Channel {
		url, _, s := serve(t)
		_, err := s.Create(t.Context(), "demo")
		require.NoError(t, err)
		return client(t, url)
	}
	channeltest.Run(t, func(t *testing.T) channel.Channel {
		return channeltest.Faulty(open(t), func(channeltest.Call) error { return nil })
	})
	c := open(t)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	_, err := channeltest.ReadOnly(c).Put(t.Context(), u)
	require.ErrorIs(t, err, channel.ErrForbidden)
	require.ErrorIs(t, channeltest.ReadOnly(c).Delete(t.Context(), "noarch", u.File), channel.ErrForbidden)
	require.Empty(t, channeltest.Index(t, channeltest.ReadOnly(c), "noarch"))
	lost := channeltest.Faulty(c, func(x channeltest.Call) error {
		if x.Op == channeltest.OpPut && x.After {
			return channel.ErrUnavailable
		}
		return nil
	})
	_, err = lost.Put(t.Context(), u)
	require.ErrorIs(t, err, channel.ErrUnavailable)
	require.Len(t, channeltest.Index(t, c, "noarch"), 1, "the upload had arrived")
}
