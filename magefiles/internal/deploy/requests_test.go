package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
)

// site returns an application with a page, a file and a health path, each of which reports its revision.
func site(revision string, well bool) func(context.Context, *localengine.Container) int {
	return func(ctx context.Context, c *localengine.Container) int {
		l, err := c.Listen(5006)
		if err != nil {
			return 1
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, revision)
		})
		mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, revision)
		})
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
			if !well {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			fmt.Fprintf(w, `{"revision": %q}`, revision)
		})
		s := &http.Server{Handler: mux}
		go func() { _ = s.Serve(l) }()
		<-ctx.Done()
		_ = s.Shutdown(context.WithoutCancel(ctx))
		return 0
	}
}

// visitors continuously request a path. Each sends its next request after a response, and never retries.
type visitors struct {
	asked  atomic.Int64
	mu     sync.Mutex
	failed []string
}

// unread is a request body that a client cannot resend.
type unread struct{ io.Reader }

func (v *visitors) ask(c *http.Client, url string) {
	r, err := http.NewRequest(http.MethodPost, url, unread{Reader: strings.NewReader("x")})
	if err == nil {
		var answer *http.Response
		if answer, err = c.Do(r); err == nil {
			var text []byte
			text, err = io.ReadAll(answer.Body)
			answer.Body.Close()
			if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "1111") && !strings.Contains(string(text), "2222")) {
				err = fmt.Errorf("status %d: %s", answer.StatusCode, text)
			}
		}
	}
	v.asked.Add(1)
	if err != nil {
		v.mu.Lock()
		v.failed = append(v.failed, err.Error())
		v.mu.Unlock()
	}
}

// No request fails during a deployment, a failed deployment, or a rollback: two thousand requests for each, from clients that do not retry.
func TestNoRequestFails(t *testing.T) {
	const each = 2000
	f := startFleet(t, "a")
	h := f.hosts["a"]
	push := func(revision string, well bool) survey.Image {
		image := f.push(revision, behavior{})
		h.engine.Offer(localengine.Image{
			Ref:     image.Ref(),
			Labels:  map[string]string{"org.opencontainers.image.revision": revision},
			Ports:   []uint16{5006},
			Program: site(revision, well),
		})
		return image
	}
	one := push("1111", true)
	f.mustDeploy(one)

	kinds := map[string]*visitors{}
	var all sync.WaitGroup
	done := make(chan struct{})
	for _, path := range []string{"page", "file", "healthz"} {
		for _, fresh := range []bool{true, false} {
			kind := &visitors{}
			kinds[fmt.Sprintf("%s, fresh: %v", path, fresh)] = kind
			c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: fresh}}
			all.Go(func() {
				defer c.CloseIdleConnections()
				for {
					kind.ask(c, fmt.Sprintf("http://127.0.0.1:%d/%s", h.front.Port, path))
					select {
					case <-done:
						if kind.asked.Load() >= each {
							return
						}
					default:
					}
				}
			})
		}
	}
	two := push("2222", true)
	f.mustDeploy(two)
	f.env.Gate = 200 * time.Millisecond
	_, err := f.deploy(push("3333", false))
	require.ErrorContains(t, err, "every host runs what it ran before")
	require.Equal(t, "app-staging-"+hash(two.Digest), f.upOf("a")[:len("app-staging-")+8])
	f.env.Gate = 10 * time.Second
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err, f.heard())
	close(done)
	all.Wait()
	for name, kind := range kinds {
		t.Logf("%s: %d requests", name, kind.asked.Load())
		require.Empty(t, kind.failed, name)
		require.GreaterOrEqual(t, kind.asked.Load(), int64(each), name)
	}
	require.NotEqual(t, hoststate.None, f.upOf("a"))
	f.runs(one, "a")
}
