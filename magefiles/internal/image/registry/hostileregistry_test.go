package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hostiletest"
)

// No response from a registry, or from a server in its place, takes much memory or time. Each becomes a one-sentence error with a next step.
func TestHostileRegistry(t *testing.T) {
	const index = "application/vnd.oci.image.index.v1+json"
	says := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		}
	}
	digest := "sha256:" + strings.Repeat("0", 64)
	page := 0
	for name, answer := range map[string]http.HandlerFunc{
		"wrong types":         says(index, `{"tags":7,"manifests":{"a":1},"schemaVersion":"x"}`),
		"a negative size":     says(index, `{"tags":[{}],"manifests":[{"digest":"`+digest+`","size":-1}]}`),
		"a huge size":         says(index, `{"tags":[1],"manifests":[{"digest":"`+digest+`","size":1e99}]}`),
		"a path for a digest": says(index, `{"tags":1e999,"manifests":[{"digest":"sha256:../../../etc/passwd","size":1}]}`),
		"no number":           says(index, `{"tags":NaN,"manifests":NaN}`),
		"depth":               says(index, `{"tags":`+strings.Repeat("[", 1<<20)),
		"escapes":             says("text/\x1b[2J", "\x1b[2J\x1b]0;x\x07<html>"),
		"an image of a page":  says("text/html", "<html>"),
		"many images":         says(index, `{"tags":"x","schemaVersion":2,"manifests":[{"mediaType":"`+index+`","size":1,"digest":"`+digest+`"}`+strings.Repeat(`,{"mediaType":"`+index+`","size":1,"digest":"`+digest+`"}`, 20000)+`]}`),
		"endless white space": hostiletest.Endless("", " "),
		"an endless text":     hostiletest.Endless(`{"tags":["`, "x"),
		"endless tags":        hostiletest.Endless(`{"tags":["x"`, `,"x"`),
		"empty tags, many":    says(index, `{"tags":[""`+strings.Repeat(`,""`, 2_700_000)+`]`),
		"silence":             hostiletest.Silence,
		"a circle":            func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"a list with no end": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+r.URL.Path+`?n=1>; rel="next"`)
			_, _ = io.WriteString(w, `{"tags":[]}`)
		},
		"a list that grows": func(w http.ResponseWriter, r *http.Request) {
			page++
			w.Header().Set("Link", fmt.Sprintf("<%s?last=%d>", r.URL.Path, page))
			_, _ = io.WriteString(w, `{"tags":["x"`+strings.Repeat(`,"y"`, 1<<16)+`]}`)
		},
		"a list that goes away": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<http://a.example/x>`)
			_, _ = io.WriteString(w, `{"tags":[]}`)
		},
		"an endless reason": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			hostiletest.Endless(`{"errors":[{"message":"`, "x")(w, r)
		},
		"a login at a file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="file:///etc/passwd"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"a login that is endless": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				hostiletest.Endless(`{"token":"`, "x")(w, r)
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/login"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"a trickle": hostiletest.Trickle,
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/" && !strings.HasPrefix(name, "a login") {
					return
				}
				answer(w, r)
			}))
			defer s.Close()
			r := &Registry{Patience: 300 * time.Millisecond}
			repository := strings.TrimPrefix(s.URL, "http://") + "/a/b"
			hostiletest.Cost(t, 512<<20, func() {
				_, tags := r.Tags(t.Context(), repository)
				_, read := r.Read(t.Context(), repository+":1")
				_, resolved := r.Resolve(t.Context(), repository+":1")
				for _, err := range []error{tags, read} {
					hostiletest.Sentence(t, err)
				}
				if resolved != nil {
					hostiletest.Sentence(t, resolved)
				}
			})
		})
	}
}

// Texts that are not valid tags are ignored.
func TestHostileTags(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"tags":["1.0","../x","\u001b[2J","","-x","a b","`+strings.Repeat("x", 129)+`","latest"]}`)
	}))
	defer s.Close()
	tags, err := (&Registry{}).Tags(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/a/b")
	require.NoError(t, err)
	require.Equal(t, []string{"1.0", "latest"}, tags)
}
