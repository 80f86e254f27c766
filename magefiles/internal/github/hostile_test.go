package github_test

import (
	"archive/zip"
	"bytes"
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

// zipOf returns a zip archive with a file of zeros for each size.
func zipOf(t *testing.T, sizes ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, size := range sizes {
		f, err := z.Create(fmt.Sprint("../", i))
		require.NoError(t, err)
		_, err = f.Write(make([]byte, size))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// Whatever GitHub or an impostor responds, a query uses little memory and time, and its error, if any, is one sentence with a next step.
func TestHostileGitHub(t *testing.T) {
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	archive := func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/zip") {
				_, _ = w.Write(data)
				return
			}
			_, _ = io.WriteString(w, `{"artifacts":[{"id":7,"name":"digests"}]}`)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"a list of nothing":     says(`{"workflow_runs":[null` + strings.Repeat(",null", 5<<20) + `],"artifacts":[{}` + strings.Repeat(",{}", 5<<20) + `]}`),
		"a list that is a text": says(`{"workflow_runs":"x","artifacts":"x","object":"x"}`),
		"wrong types":           says(`{"workflow_runs":[{"id":"x"}],"artifacts":[{"id":{}}],"default_branch":[],"object":7}`),
		"huge numbers":          says(`{"workflow_runs":[{"id":1e999}],"artifacts":[{"id":99999999999999999999}],"private":1e999,"object":{"sha":1e999}}`),
		"no number":             says(`{"workflow_runs":[{"id":NaN}],"artifacts":[{"id":NaN}],"private":NaN}`),
		"a time of its own":     says(`{"workflow_runs":[{"created_at":"\u001b]0;x\u0007"}],"artifacts":[{"id":-1,"name":"../../x"}],"default_branch":7,"object":{"type":[]}}`),
		"depth":                 says(`{"workflow_runs":` + strings.Repeat("[", 1<<20)),
		"escapes":               says("\x1b[2J\x1b]0;x\x07<html>"),
		"nothing":               says(""),
		"endless white space":   hostiletest.Endless("", " "),
		"an endless text":       hostiletest.Endless(`{"workflow_runs":[{"name":"`, "x"),
		"an endless list":       hostiletest.Endless(`{"workflow_runs":[`, `{},`),
		"endless headers": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			endlessHeaders(c)
		},
		"silence":  hostiletest.Silence,
		"a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"a redirect to plain http": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://a.example/", http.StatusFound)
		},
		"a list without an end": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+r.URL.Path+`?page=2>; rel="next"`)
			_, _ = io.WriteString(w, `{"object":[]}`)
		},
		"a list that goes on far away": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<file:///etc/passwd>; rel="next"`)
			_, _ = io.WriteString(w, `{}`)
		},
		"an endless reason": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			hostiletest.Endless(`{"message":"`, "x")(w, r)
		},
		"a reason of lies": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			says(`{"message":7,"errors":[1,[],{"field":{}}]}`)(w, nil)
		},
		"a bomb":     archive(zipOf(t, 1<<30)),
		"many files": archive(zipOf(t, make([]int, 60000)...)),
		"no archive": archive([]byte("PK\x05\x06")),
		"an endless archive": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/zip") {
				hostiletest.Endless("", "x")(w, r)
				return
			}
			archive(nil)(w, r)
		},
		"a trickle": hostiletest.Trickle,
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			c := client(t, s.URL, github.Options{Token: token, Patience: 300 * time.Millisecond, Attempts: 2, Wait: func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }})
			hostiletest.Cost(t, 512<<20, func() {
				_, artifact := c.Artifact(t.Context(), 1, "digests")
				require.Error(t, artifact)
				_, runs := c.Runs(t.Context(), github.Query{Commit: strings.Repeat("a", 40)})
				_, details := c.Details(t.Context())
				_, look := c.Look(t.Context(), "v1")
				for _, err := range []error{artifact, runs, details, look} {
					if err != nil {
						hostiletest.Sentence(t, err)
						require.NotContains(t, fmt.Sprintf("%+v", err), token)
					}
				}
			})
		})
	}
}

func endlessHeaders(c io.Writer) {
	_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
	for err == nil {
		_, err = io.WriteString(c, "X: "+strings.Repeat("y", 1<<16)+"\r\n")
	}
}
