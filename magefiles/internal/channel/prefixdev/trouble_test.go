package prefixdev_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

// embedded is the real embedded server behind a handler that injects failures. It counts stored uploads.
type embedded struct {
	store  *store.Store
	next   http.Handler
	over   chan struct{} // closed when the test ends
	mu     sync.Mutex
	stored int
}

func newEmbedded(t *testing.T) *embedded {
	t.Helper()
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Create(t.Context(), "demo")
	require.NoError(t, err)
	return &embedded{store: s, over: make(chan struct{}), next: server.New(s, server.Options{Authorize: channeltest.APIKey(token), Spool: s.Incoming()})}
}

// serve handles a request with the real server, and counts stored uploads.
func (e *embedded) serve(w http.ResponseWriter, r *http.Request) {
	rec := &statusRecorder{ResponseWriter: w}
	e.next.ServeHTTP(rec, r)
	if r.Method == http.MethodPost && rec.status == 201 {
		e.mu.Lock()
		e.stored++
		e.mu.Unlock()
	}
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(code int) {
	s.status = code
	s.ResponseWriter.WriteHeader(code)
}

// silent discards a handler's response.
type silent struct{ header http.Header }

func (s silent) Header() http.Header       { return s.header }
func (silent) Write(p []byte) (int, error) { return len(p), nil }
func (silent) WriteHeader(int)             {}

func hangUp(w http.ResponseWriter) {
	c, _, _ := w.(http.Hijacker).Hijack()
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func client(t *testing.T, url string, patience time.Duration) *prefixdev.Channel {
	t.Helper()
	c, err := prefixdev.New(prefixdev.Options{Server: url, Token: token, Wait: (&waits{}).wait, Patience: patience})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)
	return remote
}

// In whatever way the first upload fails, the file is on the channel in the end, and was stored only once.
func TestUploadThatFailsInEveryWay(t *testing.T) {
	u := upload(t)
	u.Path = grow(t, 3<<20) // large enough for a reset during the body
	var err error
	u, err = channel.NewUpload(u.Path)
	require.NoError(t, err)
	for name, first := range map[string]func(e *embedded, w http.ResponseWriter, r *http.Request){
		"reset before the body": func(_ *embedded, w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"reset within the body": func(_ *embedded, w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			hangUp(w)
		},
		"reset after the body": func(_ *embedded, w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			hangUp(w)
		},
		"stored, and then reset": func(e *embedded, w http.ResponseWriter, r *http.Request) {
			e.serve(&statusRecorder{ResponseWriter: silent{http.Header{}}}, r)
			hangUp(w)
		},
		"stored, and then 502": func(e *embedded, w http.ResponseWriter, r *http.Request) {
			e.serve(&statusRecorder{ResponseWriter: silent{http.Header{}}}, r)
			w.WriteHeader(http.StatusBadGateway)
		},
		"503 before the body is read": func(_ *embedded, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"429 for a while": func(_ *embedded, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"a stall in the body": func(e *embedded, _ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 100)
			<-e.over // a server that does not read the body does not notice a disconnect
		},
		"a stall after the body": func(_ *embedded, w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"half an answer": func(e *embedded, w http.ResponseWriter, r *http.Request) {
			e.serve(&statusRecorder{ResponseWriter: silent{http.Header{}}}, r)
			c, b, _ := w.(http.Hijacker).Hijack()
			_, _ = b.WriteString("HTTP/1.1 201 Crea")
			_ = b.Flush()
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEmbedded(t)
			var uploads atomic.Int32
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					if uploads.Add(1) == 1 {
						first(e, w, r)
						return
					}
				}
				e.serve(w, r)
			}))
			defer h.Close()
			defer close(e.over)
			patience, most := time.Minute, 2
			if strings.HasPrefix(name, "a stall") { // a slow disk can look like a stall and cause another retry
				patience, most = 3*time.Second, 4
			}
			receipt, err := client(t, h.URL, patience).Put(t.Context(), u)
			require.NoError(t, err)
			require.False(t, receipt.Existed)
			require.LessOrEqual(t, int(uploads.Load()), most)
			e.mu.Lock()
			require.Equal(t, 1, e.stored)
			e.mu.Unlock()
			c, err := e.store.Channel(t.Context(), "demo")
			require.NoError(t, err)
			have, err := channel.Holds(t.Context(), c, "noarch", "a", u.File)
			require.NoError(t, err)
			require.Equal(t, u.Record.SHA256, have)
		})
	}
}

// grow writes an artifact of at least size bytes.
func grow(t testing.TB, size int) string {
	t.Helper()
	return condapkgtest.Package{
		Name: "a",
		Files: map[string]string{
			"site-packages/a/__init__.py": "", "site-packages/a/data": noise(size),
		},
	}.Write(t, t.TempDir())
}

// noise returns incompressible text.
func noise(size int) string {
	b := make([]byte, size)
	x := uint64(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}

// A response that arrives byte by byte is read to the end. If a response stalls, the read is retried.
func TestReadingFromASlowServer(t *testing.T) {
	u := upload(t)
	data, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	asked := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		switch asked {
		case 1: // stalls
			_, _ = w.Write(data[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case 2: // closes the connection
			_, _ = w.Write(data[:len(data)-1])
			w.(http.Flusher).Flush()
			hangUp(w)
		default:
			for i := range data {
				_, _ = w.Write(data[i : i+1])
				w.(http.Flusher).Flush()
			}
		}
	}))
	defer h.Close()
	to := t.TempDir() + "/" + u.File
	require.NoError(t, channel.Download(t.Context(), client(t, h.URL, 3*time.Second), u.Record, to))
	require.Equal(t, 3, asked)
}

// An upload is completed even if the server reads the body only a few bytes at a time.
func TestASlowUpload(t *testing.T) {
	e := newEmbedded(t)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(trickle{r.Body})
		e.serve(w, r)
	}))
	defer h.Close()
	_, err := client(t, h.URL, time.Minute).Put(t.Context(), upload(t))
	require.NoError(t, err)
	require.Equal(t, 1, e.stored)
}

type trickle struct{ r io.Reader }

func (t trickle) Read(p []byte) (int, error) { return t.r.Read(p[:min(len(p), 7)]) }

// If every attempt fails, the client gives up after four attempts. After each attempt, it checks whether the channel has the file. The error has
// a next step.
func TestAttemptsAreLimited(t *testing.T) {
	uploads, questions := 0, 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			uploads++
			hangUp(w)
			return
		}
		questions++
		http.NotFound(w, r)
	}))
	defer h.Close()
	_, err := client(t, h.URL, time.Minute).Put(t.Context(), upload(t))
	require.Error(t, err)
	require.Equal(t, 4, uploads)
	require.GreaterOrEqual(t, questions, 4)
	require.Contains(t, fmt.Sprintf("%+v", err), "run the same command again: uploaded files are not sent twice")
}

// If the client cannot find out whether a file arrived, it does not send the file again.
func TestUploadInDoubtIsNotRepeated(t *testing.T) {
	uploads := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			uploads++
			_, _ = io.Copy(io.Discard, r.Body)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer h.Close()
	_, err := client(t, h.URL, time.Minute).Put(t.Context(), upload(t))
	require.ErrorContains(t, err, "the file may have arrived, but the channel could not be asked whether it has the file")
	require.ErrorIs(t, err, channel.ErrMayBeThere)
	require.Equal(t, 1, uploads)
}

// Another upload stores different bytes under the same name while the response to ours is lost.
func TestConcurrentUploadOfOtherBytes(t *testing.T) {
	e := newEmbedded(t)
	other, err := channel.NewUpload(condapkgtest.Package{Name: "a", Depends: []string{"b"}}.Write(t, t.TempDir()))
	require.NoError(t, err)
	uploads := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if uploads++; uploads == 1 {
				c, err := e.store.Channel(r.Context(), "demo")
				if err == nil {
					_, err = c.Put(r.Context(), other)
				}
				if err != nil {
					panic(err)
				}
				hangUp(w)
				return
			}
		}
		e.serve(w, r)
	}))
	defer h.Close()
	u := upload(t)
	_, err = client(t, h.URL, time.Minute).Put(t.Context(), u)
	var exists *channel.ExistsError
	require.True(t, errors.As(err, &exists))
	require.Equal(t, other.Record.SHA256, exists.Have)
	require.Equal(t, 1, uploads)
}

// Retry-After may be a date.
func TestRetryAfterAsADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	s := &script{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.Header().Set("Retry-After", now.Add(9*time.Second).Format(http.TimeFormat))
		status(503, "")(w, r)
	}, status(200, "")}}
	remote, w := start(t, s)
	_, err := remote.Put(t.Context(), upload(t))
	require.NoError(t, err)
	require.Equal(t, []time.Duration{9 * time.Second}, w.asked)
}

// Sent is called with the number of bytes sent, up to the size of the file.
func TestProgress(t *testing.T) {
	remote, _ := start(t, &script{answers: []func(http.ResponseWriter, *http.Request){status(200, "")}})
	u := upload(t)
	var told []int64
	u.Sent = func(n int64) { told = append(told, n) }
	_, err := remote.Put(t.Context(), u)
	require.NoError(t, err)
	require.Equal(t, u.Record.Size, told[len(told)-1])
	require.False(t, strings.Contains(fmt.Sprint(told), "-"))
}
