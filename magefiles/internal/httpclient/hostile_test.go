package httpclient_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

func request(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer secret")
	return r
}

// Only allowed redirects are followed, and credentials are sent only to the origin that they are for.
func TestHostileRedirects(t *testing.T) {
	for way, want := range map[string]string{ // "kept", "dropped", or the error
		"https://a/ https://a/2":                             "kept",
		"http://127.0.0.1:1/ http://127.0.0.1:1/2":           "kept",
		"https://a/ https://b/":                              "dropped",
		"https://a/ https://a:444/":                          "dropped",
		"https://a/ https://b/ https://a/":                   "dropped",
		"https://a/ https://sub.a/ https://a/ https://a/2":   "dropped",
		"http://127.0.0.1:1/ http://b/":                      "dropped",
		"http://127.0.0.1:1/ https://b/":                     "dropped",
		"https://a/ http://a/":                               "not https",
		"https://a/ http://127.0.0.1/":                       "not https",
		"http://127.0.0.1:1/ https://a/ http://127.0.0.1:1/": "not https",
		"https://a/ file:///etc/passwd":                      "not https",
		"http://a/ gopher://b/":                              "not https",
		"https://a/" + strings.Repeat(" https://a/", 10):     "in a circle",
	} {
		var via []*http.Request
		addresses := strings.Fields(way)
		for _, address := range addresses[:len(addresses)-1] {
			via = append(via, request(t, address))
		}
		r := request(t, addresses[len(addresses)-1])
		err := httpclient.Follow(r, via)
		switch want {
		case "kept", "dropped":
			require.NoError(t, err, way)
			require.Equal(t, want == "kept", r.Header.Get("Authorization") != "", way)
		default:
			require.ErrorContains(t, err, want, way)
			require.ErrorIs(t, err, httpclient.ErrRedirect, way)
			require.ErrorIs(t, httpclient.Plain(&url.Error{Err: err}), httpclient.ErrRedirect)
		}
	}
}

// Some clients add a token to every request to a host. If redirects leave the host and return, Guard removes the token.
func TestHostileRedirectsOfOtherClients(t *testing.T) {
	var seen []string
	var home string
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, "away "+r.Header.Get("Authorization"))
		http.Redirect(w, r, home+"/back", http.StatusFound)
	}))
	defer away.Close()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, "home "+r.Header.Get("Authorization"))
		if r.URL.Path == "/" {
			http.Redirect(w, r, away.URL, http.StatusFound)
		}
	}))
	defer h.Close()
	home = h.URL
	c := &http.Client{Transport: generous{httpclient.Guard(httpclient.Transport()), strings.TrimPrefix(home, "http://")}}
	answer, err := c.Get(home + "/")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, []string{"home Bearer secret", "away ", "home "}, seen)

	secure := httptest.NewTLSServer(http.RedirectHandler(home, http.StatusFound))
	defer secure.Close()
	c = &http.Client{Transport: httpclient.Guard(secure.Client().Transport)}
	_, err = c.Get(secure.URL)
	require.ErrorIs(t, err, httpclient.ErrRedirect)
}

// generous gives a token to every request to a host, as clients of registries do.
type generous struct {
	next http.RoundTripper
	host string
}

func (g generous) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == g.host {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer secret")
	}
	return g.next.RoundTrip(r)
}

// A response that does not arrive, stalls, or trickles is aborted. A response that makes progress is not.
func TestHostileWaiting(t *testing.T) {
	const patience = 400 * time.Millisecond
	var stop atomic.Bool
	defer stop.Store(true)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		flush := func(text string, pause time.Duration) {
			_, _ = io.WriteString(w, text)
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
		switch r.URL.Path {
		case "/silent":
			<-r.Context().Done()
		case "/stops":
			flush(strings.Repeat("x", 100), 0)
			<-r.Context().Done()
		case "/trickles":
			for r.Context().Err() == nil && !stop.Load() {
				flush("x", 10*time.Millisecond)
			}
		case "/slow": // ten times the speed of a trickle
			for r.Context().Err() == nil && !stop.Load() {
				flush(strings.Repeat("x", 200), 20*time.Millisecond)
			}
		case "/headers":
			c, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for i := 0; !stop.Load(); i++ {
				if _, err := fmt.Fprintf(c, "X-%d: y\r\n", i); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		case "/manyheaders":
			c, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for !stop.Load() {
				if _, err := io.WriteString(c, "X: "+strings.Repeat("y", 1<<16)+"\r\n"); err != nil {
					return
				}
			}
		case "/moves":
			for range 12 {
				flush(strings.Repeat("x", 1<<10), 80*time.Millisecond)
			}
		}
	}))
	defer s.Close()
	for path, want := range map[string]string{
		"/silent": "no data arrived", "/stops": "no data arrived", "/trickles": "less than a kilobyte", "/slow": "less than 32 kilobytes", "/headers": "no data arrived",
		"/manyheaders": "server response headers exceeded", "/moves": "",
	} {
		t.Run(path, func(t *testing.T) {
			after := patience
			if path == "/slow" { // a slow response is aborted after several times this duration
				after /= 2
			}
			ctx, w := httpclient.NewWatch(t.Context(), after)
			defer w.Stop()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
			require.NoError(t, err)
			began := time.Now()
			answer, err := (&http.Client{Transport: httpclient.Transport()}).Do(r)
			if err == nil {
				_, err = io.Copy(io.Discard, w.Body(answer.Body))
			} else {
				err = w.Explain(err)
			}
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want)
			require.Less(t, time.Since(began), 20*time.Second)
		})
	}
	require.ErrorIs(t, httpclient.ErrTrickle, httpclient.ErrStalled)
}
