package prefixdev_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/hostiletest"
)

// forever writes the same text until the client disconnects.
func forever(w http.ResponseWriter, r *http.Request, text string) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// drip writes a byte from time to time until the client disconnects.
func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
}

// answering returns a handler that sends a status and then calls next.
func answering(code int, next func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		next(w, r)
	}
}

func saying(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// No response to an upload, or to the requests that follow it, costs much time or memory. An upload succeeds only if the channel confirms it.
// Otherwise the error is a sentence.
func TestHostileAnswersToUploads(t *testing.T) {
	big := strings.Repeat("x", 1<<16)
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"an endless refusal":      answering(400, func(w http.ResponseWriter, r *http.Request) { forever(w, r, "\x1b[2J"+big) }),
		"a refusal that trickles": answering(403, drip),
		"a refusal with escapes":  answering(422, saying("\x1b]0;x\x07\r\n::error::x\nmore")),
		"an unknown status":       answering(799, saying("\x1b[31mno")),
		"a teapot":                answering(418, saying("line\nline")),
		"an endless conflict":     answering(409, func(w http.ResponseWriter, r *http.Request) { forever(w, r, big) }),
		"always a conflict":       answering(409, saying("it is there")),
		"always busy":             answering(503, saying("")),
		"silence":                 hostiletest.Silence,
		"a redirect to another": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://a.example/", http.StatusTemporaryRedirect)
		},
		"a redirect to itself": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String(), http.StatusPermanentRedirect)
		},
		"a redirect to a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusSeeOther)
		},
		"a busy server for centuries": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999999")
			w.WriteHeader(503)
		},
		"an answer that is not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(c, "\x1b[2J\x1b]0;x\x07\r\n\r\n")
			_ = c.Close()
		},
		"headers without an end": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			for _, err := io.WriteString(c, "HTTP/1.1 201 Created\r\n"); err == nil; {
				_, err = io.WriteString(c, "X: "+big+"\r\n")
			}
			_ = c.Close()
		},
		"early answers without an end": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			}
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := impatient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && !strings.HasPrefix(name, "always a conflict") {
					http.NotFound(w, r)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, r)
			})
			u := upload(t)
			hostiletest.Cost(t, most, func() {
				_, err := c.Put(t.Context(), u)
				hostiletest.Sentence(t, err)
				require.NotContains(t, fmt.Sprintf("%+v", err), token)
			})
			hostiletest.Cost(t, most, func() {
				err := c.Delete(t.Context(), "noarch", u.File)
				hostiletest.Sentence(t, err)
			})
		})
	}
}

// A success status is sufficient, even if the server keeps sending a body.
func TestHostileSuccesses(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"endless":  answering(201, func(w http.ResponseWriter, r *http.Request) { forever(w, r, strings.Repeat("x", 1<<16)) }),
		"trickles": answering(200, drip),
		"lies":     answering(201, saying(`{"error":"\u001b[2J"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			var uploads atomic.Int32
			c := impatient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					http.NotFound(w, r)
					return
				}
				uploads.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, r)
			})
			hostiletest.Cost(t, most, func() {
				_, err := c.Put(t.Context(), upload(t))
				require.NoError(t, err)
			})
			require.EqualValues(t, 1, uploads.Load())
		})
	}
}

// impatient returns a channel whose server is h, with a short timeout.
func impatient(t *testing.T, h http.HandlerFunc) *prefixdev.Channel {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	p, err := prefixdev.New(prefixdev.Options{Server: s.URL, Token: token, Patience: 300 * time.Millisecond, Attempts: 2, Wait: (&waits{}).wait})
	require.NoError(t, err)
	c, err := p.Channel("demo")
	require.NoError(t, err)
	return c
}

// No invalid response to an ID token results in a credential, or in an error that contains the ID token.
func TestHostileMints(t *testing.T) {
	big := strings.Repeat("x", 1<<16)
	echo := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, "you sent %s", body)
		}
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"the sent token, in a refusal":     echo(403),
		"the sent token, as the new token": echo(200),
		"nothing":                          saying(""),
		"white space":                      saying(" \n"),
		"a page":                           saying("<html>\x1b[2J"),
		"an object":                        saying(`{"token":"pfx-jwt.minted"}`),
		"a line with another header":       saying("pfx-jwt.minted\r\nX-Other: 1"),
		"escapes":                          saying("pfx\x1b]0;x\x07minted"),
		"a token without an end":           func(w http.ResponseWriter, r *http.Request) { forever(w, r, big) },
		"a token that trickles":            drip,
		"a refusal without an end":         answering(401, func(w http.ResponseWriter, r *http.Request) { forever(w, r, big+"\n") }),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"silence":                    hostiletest.Silence,
		"a success without contents": answering(204, saying("")),
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(name, "the sent token") {
					_, _ = io.Copy(io.Discard, r.Body) // otherwise the server does not notice that the client has disconnected
				}
				answer(w, r)
			}))
			defer s.Close()
			c, err := prefixdev.New(prefixdev.Options{Server: s.URL, Patience: 300 * time.Millisecond, Attempts: 2, Wait: (&waits{}).wait})
			require.NoError(t, err)
			hostiletest.Cost(t, most, func() {
				got, err := prefixdev.Sources{CI: &ci{}}.Credential(t.Context(), c)
				hostiletest.Sentence(t, err)
				require.Empty(t, string(got.Token))
				require.NotContains(t, fmt.Sprintf("%+v", err), "id-token-of-the-test")
			})
			hostiletest.Cost(t, most, func() {
				login, err := c.Login(t.Context(), token)
				if err != nil {
					hostiletest.Sentence(t, err)
				}
				require.Empty(t, login)
			})
		})
	}
}

// If a server echoes a credential, the error does not contain it.
func TestHostileEcho(t *testing.T) {
	c := impatient(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(403)
		_, _ = fmt.Fprintf(w, "no: %s", r.Header.Get("Authorization"))
	})
	_, err := c.Put(t.Context(), upload(t))
	hostiletest.Sentence(t, err)
	require.NotContains(t, fmt.Sprintf("%+v", err), token)
	_, err = c.Private(t.Context())
	require.Error(t, err)
	require.NotContains(t, fmt.Sprintf("%+v", err), token)
	require.NotContains(t, fmt.Sprintf("%+v", c.Delete(t.Context(), "noarch", "a-1-0.conda")), token)
}
