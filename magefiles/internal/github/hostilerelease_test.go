package github_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/hostiletest"
)

// hub is a server whose responses to the requests of Ensure can be replaced. The field `made` handles all other requests.
type hub struct {
	releases, assets, made, asset func(http.ResponseWriter, *http.Request)
}

func (h hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	answer := h.made
	switch path := r.URL.Path; {
	case strings.Contains(path, "/git/"):
		_, _ = fmt.Fprintf(w, `{"ref":"refs/tags/%s","object":{"type":"commit","sha":"%s"}}`, tag, commit)
		return
	case strings.Contains(path, "/releases/assets/"):
		answer = h.asset
	case strings.HasSuffix(path, "/assets"):
		answer = h.assets
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/releases"):
		answer = h.releases
	}
	if answer == nil {
		_, _ = io.WriteString(w, "[]")
		return
	}
	answer(w, r)
}

// Whatever GitHub or an impostor responds, Ensure returns soon, uses little memory, and sends no file or token to another server. Its error is one
// sentence.
func TestHostileReleases(t *testing.T) {
	says := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	var away []string // forbidden requests to another server; only GET requests without the token are allowed
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if credential := r.Header.Get("Authorization"); credential != "" || r.Method != http.MethodGet {
			away = append(away, r.Method+" "+credential)
		}
	}))
	defer elsewhere.Close()
	draft := func(fields string) func(http.ResponseWriter, *http.Request) {
		return says(fmt.Sprintf(`[{"id":1,"tag_name":%q,"name":"1.2.0","draft":true,"body":"### Added\n\n- a thing\n",%s}]`, tag, fields))
	}
	published := func(assets string) func(http.ResponseWriter, *http.Request) {
		return says(fmt.Sprintf(`[{"id":1,"tag_name":%q,"name":"1.2.0","draft":false,"html_url":"javascript:\u001b[2J","published_at":"2026-01-01T00:00:00Z","assets":%s}]`, tag, assets))
	}
	ours := `"id":9,"name":"a-1.2.0-0.conda","state":"uploaded"`
	for name, h := range map[string]hub{
		"releases without an end":     {releases: hostiletest.Endless("[", `{"id":1},`)},
		"releases that are nothing":   {releases: says(`[null` + strings.Repeat(",null", 5<<20) + `]`)},
		"releases that are a text":    {releases: says(`"x"`)},
		"ids that are no numbers":     {releases: says(`[{"id":"../../x"}]`)},
		"a draft that is never there": {made: says(`{"id":7}`)},
		"a draft without an id":       {made: says(`{"id":-1,"upload_url":"x"}`)},
		"a draft of another server":   {releases: draft(`"upload_url":"` + elsewhere.URL + `/x{?name,label}"`), made: says(`{"id":1}`)},
		"a draft of a file":           {releases: draft(`"upload_url":"file:///etc/passwd{?name}"`), made: says(`{"id":1}`)},
		"a draft of nowhere":          {releases: draft(`"upload_url":"%zz\u001b[2J"`), made: says(`{"id":1}`)},
		"files of escapes":            {releases: published(`[{"id":9,"name":"\u001b]0;x\u0007../../x","state":"uploaded","size":-1}]`), made: says(`{"id":1}`)},
		"a file of other bytes":       {releases: published(`[{` + ours + `,"size":-7,"digest":"sha256:\u001b[2J"}]`), made: says(`{"id":1}`)},
		"a file of a huge size":       {releases: published(`[{` + ours + `,"size":9223372036854775807}]`), made: says(`{"id":1}`)},
		"a file without an end":       {releases: published(`[{` + ours + `,"size":45000}]`), asset: hostiletest.Endless("", "x"), made: says(`{"id":1}`)},
		"a file that leads to a file": {
			releases: published(`[{` + ours + `,"size":45000}]`),
			asset: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			},
		},
		"a file in a circle": {releases: published(`[{` + ours + `,"size":45000}]`), asset: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }},
		"a refusal without an end": {made: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(422)
			hostiletest.Endless(`{"message":"\u001b[2J`, "x")(w, r)
		}},
		"a refusal with many reasons": {made: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			says(`{"errors":[`+strings.Repeat(`{"code":"already_exists"},`, 900)+`1]}`)(w, nil)
		}},
		"a refusal that repeats a token": {made: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			_, _ = fmt.Fprintf(w, `{"message":%q}`, r.Header.Get("Authorization"))
		}},
		"a redirect of what is written": {made: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}},
		"silence":                 {made: hostiletest.Silence},
		"an answer that trickles": {made: hostiletest.Trickle},
		"a wait of centuries": {made: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "9223372036854775807")
			w.WriteHeader(403)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(h)
			defer s.Close()
			c := client(t, s.URL, github.Options{
				Token:    token,
				Patience: 300 * time.Millisecond,
				Attempts: 2,
				Wait: func(ctx context.Context, _ int, asked time.Duration) error {
					require.LessOrEqual(t, asked, time.Hour)
					return ctx.Err()
				},
			})
			r := release(t)
			hostiletest.Cost(t, 512<<20, func() {
				_, err := c.Ensure(t.Context(), r)
				hostiletest.Sentence(t, err)
				require.NotContains(t, fmt.Sprintf("%+v", err), token)
			})
		})
	}
	require.Empty(t, away, "no file or token is sent to another server")
}
