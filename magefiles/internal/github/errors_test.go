package github_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// adversary gives the same response to every request, and records the requests.
type adversary struct {
	status  int
	header  map[string]string
	body    string
	methods []string
	tokens  []string
}

func (a *adversary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.methods = append(a.methods, r.Method)
	a.tokens = append(a.tokens, r.Header.Get("Authorization"))
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestEachErrorIsASentenceWithANextStep(t *testing.T) {
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	dated := func(h map[string]string) map[string]string {
		h["Date"] = date.Format(http.TimeFormat)
		return h
	}
	for name, c := range map[string]struct {
		a        adversary
		token    github.Token
		is       error
		says     string
		next     string
		requests int
		waits    []time.Duration
	}{
		"bad credentials": {
			a:        adversary{status: 401, body: `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}`},
			token:    token,
			is:       github.ErrUnauthorized,
			says:     "HTTP 401: Bad credentials",
			next:     "is wrong, expired or revoked",
			requests: 1,
			waits:    nil,
		},
		"no token": {adversary{status: 401, body: `{"message":"Requires authentication"}`}, "", github.ErrUnauthorized, "Requires authentication", "set GITHUB_TOKEN", 1, nil},
		"a job without the permission": {
			a:        adversary{status: 403, header: map[string]string{"X-RateLimit-Remaining": "4999"}, body: `{"message":"Resource not accessible by integration"}`},
			token:    token,
			is:       github.ErrForbidden,
			says:     "Resource not accessible by integration",
			next:     "permissions: contents: write",
			requests: 1,
			waits:    nil,
		},
		"SSO":        {adversary{status: 403, body: `{"message":"Resource protected by organization SAML enforcement. You must grant your token access."}`}, token, github.ErrForbidden, "SAML", "authorize the token", 1, nil},
		"an archive": {adversary{status: 403, body: `{"message":"Repository was archived so is read-only."}`}, token, github.ErrForbidden, "archived", "unarchive the repository", 1, nil},
		"the limit, for long": {
			a:        adversary{status: 403, header: dated(map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(date.Add(20 * time.Minute).Unix())}), body: `{"message":"API rate limit exceeded"}`},
			token:    token,
			is:       github.ErrLimited,
			says:     "API rate limit exceeded",
			next:     "run the same command again after 03:24:05 UTC on 2026-01-02",
			requests: 1,
			waits:    nil,
		},
		"the limit, without a token": {
			a:        adversary{status: 429, header: dated(map[string]string{"Retry-After": "3600"})},
			token:    "",
			is:       github.ErrLimited,
			says:     "429 Too Many Requests",
			next:     "04:04:05 UTC on 2026-01-02, or set GITHUB_TOKEN",
			requests: 1,
			waits:    nil,
		},
		"the limit, for seconds": {
			a:        adversary{status: 403, header: dated(map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(date.Add(7 * time.Second).Unix())})},
			token:    token,
			is:       github.ErrLimited,
			says:     "HTTP 403 Forbidden",
			next:     "run the same command again after",
			requests: 3,
			waits:    []time.Duration{7 * time.Second, 7 * time.Second},
		},
		"the secondary limit": {
			a:        adversary{status: 403, header: dated(map[string]string{"Retry-After": "5"}), body: `{"message":"You have exceeded a secondary rate limit."}`},
			token:    token,
			is:       github.ErrLimited,
			says:     "secondary rate limit",
			next:     "03:04:10 UTC",
			requests: 3,
			waits:    []time.Duration{5 * time.Second, 5 * time.Second},
		},
		"the secondary limit that does not say how long": {
			a:        adversary{status: 403, header: dated(map[string]string{}), body: `{"message":"You have exceeded a secondary rate limit."}`},
			token:    token,
			is:       github.ErrLimited,
			says:     "secondary rate limit",
			next:     "03:05:05 UTC",
			requests: 3,
			waits:    []time.Duration{time.Minute, time.Minute},
		},
		"down":     {adversary{status: 502, body: "<html>Unicorn</html>"}, token, github.ErrUnavailable, "HTTP 502 Bad Gateway", "run the same command again later", 3, []time.Duration{0, 0}},
		"nonsense": {adversary{status: 200, body: "<html>"}, token, nil, "the answer is not the expected JSON", "can be reached", 3, []time.Duration{0, 0}},
		"the token said back": {
			a:        adversary{status: 400, body: `{"message":"what is ` + token + `?"}`},
			token:    token,
			is:       nil,
			says:     "what is ***?",
			next:     "read GitHub's message",
			requests: 1,
			waits:    nil,
		},
		"another page elsewhere": {
			a:        adversary{status: 200, header: map[string]string{"Link": `<https://evil.example/x?page=2>; rel="next"`}, body: `{"object":{"type":"commit","sha":"x"}}`},
			token:    token,
			is:       nil,
			says:     "a server other than the API's",
			next:     "read GitHub's message",
			requests: 1,
			waits:    nil,
		},
		"a redirect to plain http": {
			a:        adversary{status: 302, header: map[string]string{"Location": "http://evil.example/"}},
			token:    token,
			is:       nil,
			says:     "evil.example, which is not https",
			next:     "read GitHub's message",
			requests: 1,
			waits:    nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var waits []time.Duration
			cl := client(t, serve(t, &c.a), github.Options{
				Token:    c.token,
				Attempts: 3,
				Wait: func(_ context.Context, _ int, asked time.Duration) error {
					waits = append(waits, asked)
					return nil
				},
			})
			_, err := cl.Look(t.Context(), tag)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "for the release "+tag)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			full := fmt.Sprintf("%+v", err)
			require.Contains(t, full, "\n→ ")
			require.Contains(t, full, c.next)
			require.NotContains(t, full, token)
			require.Len(t, c.a.methods, c.requests)
			require.Equal(t, c.waits, waits)
		})
	}
	t.Run("no such repository", func(t *testing.T) {
		_, err := client(t, serve(t, &adversary{status: 404, body: `{"message":"Not Found"}`}), github.Options{}).Details(t.Context())
		require.ErrorIs(t, err, github.ErrNotFound)
		require.Contains(t, fmt.Sprintf("%+v", err), "may not read a private repository")
	})
	t.Run("nobody there", func(t *testing.T) {
		s := httptest.NewServer(nil)
		s.Close()
		_, err := client(t, s.URL, github.Options{}).Details(t.Context())
		require.Contains(t, fmt.Sprintf("%+v", err), "can be reached, and run the same command again")
	})
}

// between serves w behind a handler that may respond to a request itself. The handler returns whether it did.
func between(t *testing.T, w *world, answer func(http.ResponseWriter, *http.Request) bool) string {
	return serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !answer(rw, r) {
			w.ServeHTTP(rw, r)
		}
	}))
}

func post(t *testing.T, url, path, body string) {
	t.Helper()
	send(t, http.MethodPost, url+path, body)
}

func send(t *testing.T, method, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Less(t, resp.StatusCode, 300)
}

// half sends an upload that ends before its Content-Length. When half returns, the server has handled the failure.
func half(t *testing.T, w *world, path string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.ContentLength = 100
	r.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	require.Equal(t, http.StatusBadGateway, answer.Code)
}

const releases = "/repos/" + repository + "/releases"

func TestWhatIsThereAlready(t *testing.T) {
	ours := `"tag_name":"` + tag + `","name":"1.2.0","body":"### Added\r\n\r\n- a thing"`
	for name, c := range map[string]struct {
		prepare func(t *testing.T, w *world)
		options server.Options
		status  int // status of the error; 0 for none
		says    string
		left    int
	}{
		"two of our drafts, both empty": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`,"draft":true}`)
				post(t, w.url, releases, `{`+ours+`,"draft":true}`)
			},
			options: server.Options{},
			status:  0,
			says:    "",
			left:    0,
		},
		"ours, with the wrong bytes": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`,"draft":true}`)
				post(t, w.url, "/uploads"+releases+"/1/assets?name=c+d.txt", "other")
			},
			options: server.Options{},
			status:  0,
			says:    "",
			left:    0,
		},
		"somebody's": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{"tag_name":"`+tag+`","body":"mine","draft":true}`)
			},
			options: server.Options{},
			status:  3,
			says:    "someone else made or changed the draft",
			left:    0,
		},
		"published without files":           {func(t *testing.T, w *world) { post(t, w.url, releases, `{`+ours+`}`) }, server.Options{}, 0, "", 0},
		"published without files, for good": {func(t *testing.T, w *world) { post(t, w.url, releases, `{`+ours+`}`) }, server.Options{Immutable: true}, 1, "published without a-1.2.0-0.conda, and is immutable", 0},
		"published with other bytes": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`}`)
				post(t, w.url, "/uploads"+releases+"/1/assets?name=c+d.txt", "other")
			},
			options: server.Options{},
			status:  3,
			says:    "a different file c d.txt",
			left:    0,
		},
		"published with half a file": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`}`)
				half(t, w, "/uploads"+releases+"/1/assets?name=c+d.txt")
			},
			options: server.Options{},
			status:  3,
			says:    "an incomplete upload of c d.txt",
			left:    0,
		},
		"ours, with half a file": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`,"draft":true}`)
				half(t, w, "/uploads"+releases+"/1/assets?name=c+d.txt")
			},
			options: server.Options{},
			status:  0,
			says:    "",
			left:    0,
		},
		"a file of somebody else's": {
			prepare: func(t *testing.T, w *world) {
				post(t, w.url, releases, `{`+ours+`,"draft":true}`)
				post(t, w.url, "/uploads"+releases+"/1/assets?name=letter", "dear")
			},
			options: server.Options{},
			status:  0,
			says:    "",
			left:    1,
		},
		"a tag on another commit": {nil, server.Options{Tag: func(string) (server.Tag, bool) { return server.Tag{Commit: strings.Repeat("f", 40)}, true }}, 3, "is at ffffffffffff on GitHub, but at 0123456789ab here", 0},
		"no tag":                  {nil, server.Options{Tag: func(string) (server.Tag, bool) { return server.Tag{}, false }}, 1, "has no tag", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := start(t, c.options), release(t)
			if c.prepare != nil {
				c.prepare(t, w)
			}
			result, err := client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
			if c.status != 0 {
				require.ErrorContains(t, err, c.says)
				require.Equal(t, c.status, operr.ExitStatus(err))
				require.Contains(t, fmt.Sprintf("%+v", err), "\n→ ")
				require.Empty(t, w.TagsMade())
				return
			}
			require.NoError(t, err)
			require.Len(t, result.Left, c.left)
			if c.left == 0 {
				w.published(t, r)
			}
		})
	}
}

// Ensure does not create a second draft if the list of releases is out of date, which happens at GitHub.
func TestOutdatedListOfReleases(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Path == releases {
			_, _ = io.WriteString(rw, "[]")
			return true
		}
		return false
	})
	_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.NoError(t, err)
	w.published(t, r)
	again, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.NoError(t, err)
	require.Empty(t, again.Did)
}

// Assets without a digest, as on an older enterprise server, are downloaded and compared. The server for assets does not get the token.
func TestAServerWithoutDigests(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	downloads := 0
	url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/releases/assets/") {
			downloads++
		}
		if !strings.HasSuffix(r.URL.Path, "/assets") || r.Method != http.MethodGet {
			return false
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		_, _ = io.WriteString(rw, strings.ReplaceAll(rec.Body.String(), `"digest":"sha256:`, `"other":"`))
		return true
	})
	_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.NoError(t, err)
	require.NotZero(t, downloads)
	w.published(t, r)
}

// The token is not sent to an upload URL or a redirect that points to another host, because both are under the server's control.
func TestTokenIsNotSentElsewhere(t *testing.T) {
	evil := &adversary{status: 200, body: `{}`}
	elsewhere := serve(t, evil)
	t.Run("upload", func(t *testing.T) {
		w, r := start(t, server.Options{URL: elsewhere}), release(t)
		_, err := client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
		require.ErrorContains(t, err, "must not get the token")
	})
	t.Run("redirected", func(t *testing.T) {
		c := client(t, serve(t, &adversary{status: 301, header: map[string]string{"Location": elsewhere}}), github.Options{Token: token})
		_, _ = c.Details(t.Context())
		w, r := start(t, server.Options{}), release(t)
		url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				http.Redirect(rw, r, elsewhere, http.StatusTemporaryRedirect)
			}
			return r.Method == http.MethodPost
		})
		_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
		require.ErrorContains(t, err, "HTTP 307")
		require.Contains(t, fmt.Sprintf("%+v", err), "git remote set-url")
	})
	require.Len(t, evil.tokens, 1, "only read requests follow redirects")
	require.Equal(t, []string{""}, evil.tokens)
}

// If creating a release fails with status 500, Ensure lists the releases before each retry, and makes no more attempts than allowed.
func TestCreationInDoubt(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	var order []string
	url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost || r.URL.Path == releases {
			order = append(order, r.Method)
		}
		if r.Method == http.MethodPost {
			rw.WriteHeader(500)
		}
		return r.Method == http.MethodPost
	})
	_, err := client(t, url, github.Options{Token: token, Attempts: 3}).Ensure(t.Context(), r)
	require.ErrorIs(t, err, github.ErrUnavailable)
	require.Equal(t, []string{"GET", "POST", "GET", "POST", "GET", "POST"}, order)
}

// Ensure gives up on a server that accepts requests but stores nothing.
func TestServerThatStoresNothing(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(rw, `{}`)
		}
		return r.Method == http.MethodPost
	})
	_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.ErrorContains(t, err, "accepted this change 4 times, but does not show the change")
}

// Ensure does not upload a file that has changed since it was tested.
func TestChangedFileIsNotUploaded(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	require.NoError(t, os.WriteFile(r.Files[0].Path, []byte("x"), 0o644))
	_, err := client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.ErrorContains(t, err, "changed after the test")
	_, drafts := w.Published()
	require.Equal(t, 1, drafts)
}

// A read-only token cannot list drafts. The error names the missing permission.
func TestReadOnlyToken(t *testing.T) {
	w, r := start(t, server.Options{Reader: "reader"}), release(t)
	c := client(t, w.url, github.Options{Token: "reader"})
	d, err := c.Details(t.Context())
	require.NoError(t, err)
	require.Equal(t, "main", d.DefaultBranch)
	require.False(t, *d.Push)
	job := "ghs_of_a_job"
	w2, _ := start(t, server.Options{Reader: job}), release(t)
	d, err = client(t, w2.url, github.Options{Token: github.Token(job)}).Details(t.Context())
	require.NoError(t, err)
	require.Nil(t, d.Push, "a person's permissions do not apply to a job's token")
	_, err = c.Ensure(t.Context(), r)
	require.ErrorIs(t, err, github.ErrForbidden)
	require.Contains(t, fmt.Sprintf("%+v", err), "contents: write")
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]github.Options{
		"in the clear":      {API: "http://github.example", Repository: "a/b", Token: token},
		"white space":       {Repository: "a/b", Token: token + "\n"},
		"is no name of a":   {Repository: "a/b/c"},
		"no http or https":  {API: "ftp://x", Repository: "a/b"},
		"has more in it":    {API: "https://u:p@x", Repository: "a/b"},
		`"a/.." is no name`: {Repository: "a/.."},
	} {
		_, err := github.New(o)
		require.Error(t, err, name)
		require.NotContains(t, fmt.Sprintf("%+v", err), token)
	}
}

// direct is a transport that handles requests to every host with h, and records which hosts got the token.
type direct struct {
	h      http.Handler
	tokens map[string]bool
}

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		d.tokens[r.URL.Scheme+"://"+r.URL.Host] = true
	}
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3")
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestWhereUploadsGo(t *testing.T) {
	for name, c := range map[string]struct {
		api, uploads string
		ok           bool
	}{
		"github.com":           {"https://api.github.com", "https://uploads.github.com", true},
		"a tenant":             {"https://api.tenant.ghe.com", "https://uploads.tenant.ghe.com", true},
		"an enterprise server": {"https://git.example.org/api/v3", "https://git.example.org", true},
		"in the clear":         {"https://api.github.com", "http://uploads.github.com", false},
		"another port":         {"https://git.example.org/api/v3", "https://git.example.org:8443", false},
		"another tenant":       {"https://api.tenant.ghe.com", "https://uploads.other.ghe.com", false},
		"another domain":       {"https://api.github.com", "https://uploads.github.com.example.org", false},
		"its own rules":        {"https://api.example.org", "https://uploads.example.org", false},
		"a name in it":         {"https://api.github.com", "https://x@uploads.github.com", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := server.New(server.Options{Repository: repository, Token: token, URL: c.uploads, Tag: func(string) (server.Tag, bool) { return server.Tag{Commit: commit}, true }})
			require.NoError(t, err)
			d := direct{s, map[string]bool{}}
			_, err = client(t, c.api, github.Options{Token: token, Transport: d}).Ensure(t.Context(), release(t))
			if c.ok {
				require.NoError(t, err)
				require.True(t, d.tokens[c.uploads])
				return
			}
			require.ErrorContains(t, err, "must not get the token")
			require.Len(t, d.tokens, 1, "only the API gets the token")
		})
	}
}

// Another run uploads the same files, each just before this run uploads it.
func TestConcurrentUploadOfTheSameFiles(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	refused := 0
	url := between(t, w, func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/uploads/") {
			return false
		}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		for range 2 {
			again := r.Clone(r.Context())
			again.Body = io.NopCloser(strings.NewReader(string(data)))
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, again)
			if rec.Code == http.StatusUnprocessableEntity {
				refused++
				rw.WriteHeader(rec.Code)
				_, _ = rw.Write(rec.Body.Bytes())
			}
		}
		return true
	})
	_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, 3, refused)
	w.published(t, r)
}

// Ensure deletes nothing if someone publishes the draft just before a wrong file would be deleted.
func TestPublishedReleaseKeepsItsFiles(t *testing.T) {
	w, r := start(t, server.Options{}), release(t)
	post(t, w.url, releases, fmt.Sprintf(`{"tag_name":%q,"name":%q,"body":%q,"draft":true}`, tag, r.Name, r.Notes))
	post(t, w.url, "/uploads"+releases+"/1/assets?name=a-1.2.0-0.conda", "other")
	url := between(t, w, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Path == releases+"/1" {
			send(t, http.MethodPatch, w.url+releases+"/1", `{"draft":false}`)
		}
		return false
	})
	_, err := client(t, url, github.Options{Token: token}).Ensure(t.Context(), r)
	require.ErrorContains(t, err, "published with a different file a-1.2.0-0.conda")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	all, _ := w.Published()
	require.Contains(t, all[0].Assets, "a-1.2.0-0.conda")
}

func TestEmbeddedServerRefusesLikeGitHub(t *testing.T) {
	private := start(t, server.Options{Private: true})
	_, err := client(t, private.url, github.Options{}).Details(t.Context())
	require.ErrorIs(t, err, github.ErrNotFound)
	d, err := client(t, private.url, github.Options{Token: token}).Details(t.Context())
	require.NoError(t, err)
	require.True(t, d.Private && *d.Push)
	_, err = client(t, private.url, github.Options{Token: "other"}).Details(t.Context())
	require.ErrorIs(t, err, github.ErrUnauthorized)

	limited := client(t, start(t, server.Options{Limit: 1}).url, github.Options{})
	_, err = limited.Details(t.Context())
	require.NoError(t, err)
	_, err = limited.Details(t.Context())
	require.ErrorIs(t, err, github.ErrLimited)

	w := start(t, server.Options{Tag: func(string) (server.Tag, bool) { return server.Tag{}, false }})
	post(t, w.url, releases, `{"tag_name":"v1","target_commitish":"abc"}`)
	require.Equal(t, []string{"v1"}, w.TagsMade(), "publishing creates a missing tag")
	s, err := client(t, w.url, github.Options{}).Look(t.Context(), "v1")
	require.NoError(t, err)
	require.Equal(t, "abc", s.Commit)
}

// An error with an HTML page comes from a proxy, not from GitHub, whose API returns JSON. The error must not suggest a missing permission.
func TestHTMLErrorIsFromAProxy(t *testing.T) {
	for status, page := range map[int]string{
		403: "<!doctype html><html><head><title>Blocked by policy</title></head><body>call 4711</body></html>",
		401: "<html><title>Sign in to the network</title></html>",
		451: "\n<!DOCTYPE HTML PUBLIC \"x\"><HTML><BODY><H1>Category: software</H1>",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, page) }))
		t.Cleanup(s.Close)
		c, err := github.New(github.Options{API: s.URL, Repository: "o/r", Token: "a-token-of-a-test"})
		require.NoError(t, err)
		_, err = c.Details(t.Context())
		text := fmt.Sprintf("%+v", err)
		require.Contains(t, text, "NO_PROXY", status)
		require.NotContains(t, text, "permissions:")
		require.NotContains(t, text, "<")
		require.NotContains(t, text, "4711")
	}
}
