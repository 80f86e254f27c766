package prefixdev_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const token = "pfx_secret_of_the_test"

// script is a server that responds to uploads with these answers in order, and serves files.
type script struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, r *http.Request)
	uploads []*http.Request
	files   map[string][]byte // files to serve, by path
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodPost {
		if data, ok := s.files[r.URL.Path]; ok {
			w.Write(data)
			return
		}
		http.NotFound(w, r)
		return
	}
	s.uploads = append(s.uploads, r)
	next := s.answers[min(len(s.uploads), len(s.answers))-1]
	next(w, r)
}

func status(code int, text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

// reset closes the connection without a response, before the body is read.
func reset(w http.ResponseWriter, _ *http.Request) {
	c, _, _ := w.(http.Hijacker).Hijack()
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

type waits struct{ asked []time.Duration }

func (w *waits) wait(ctx context.Context, _ int, asked time.Duration) error {
	w.asked = append(w.asked, asked)
	return ctx.Err()
}

func start(t *testing.T, s *script) (*prefixdev.Channel, *waits) {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	w := &waits{}
	c, err := prefixdev.New(prefixdev.Options{Server: h.URL + "/sub/path", Token: token, Wait: w.wait})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)
	return remote, w
}

func upload(t *testing.T) channel.Upload {
	t.Helper()
	u, err := channel.NewUpload(condapkgtest.Package{Name: "a"}.Write(t, t.TempDir()))
	require.NoError(t, err)
	return u
}

func TestRequestEqualsTheRealUploaders(t *testing.T) {
	var body []byte
	s := &script{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(204)
	}}}
	remote, _ := start(t, s)
	u := upload(t)
	u.Force = true
	_, err := remote.Put(t.Context(), u)
	require.NoError(t, err)

	r := s.uploads[0]
	require.Equal(t, "/sub/path/api/v1/upload/demo?force=true", r.URL.String(), "a base path is kept")
	require.Equal(t, "Bearer "+token, r.Header.Get("Authorization"))
	require.Empty(t, r.TransferEncoding, "not chunked")
	require.EqualValues(t, len(body), r.ContentLength)
	require.Empty(t, r.Header.Get("Expect"))
	_, boundary, _ := strings.Cut(r.Header.Get("Content-Type"), "multipart/form-data; boundary=")
	require.Regexp(t, `^[0-9a-f]{16}(-[0-9a-f]{16}){3}$`, boundary)
	data, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	want := fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\ncontent-type: application/octet-stream\r\n"+
		"content-length: %d\r\nx-file-name: %s\r\nx-file-sha256: %s\r\n\r\n%s\r\n--%s--\r\n",
		boundary, u.File, len(data), u.File, u.Record.SHA256, data, boundary)
	require.Equal(t, want, string(body))
	part, err := multipart.NewReader(bytes.NewReader(body), boundary).NextPart()
	require.NoError(t, err)
	require.Equal(t, u.File, part.FileName())
}

// Every status in the protocol's table: a final status is not retried, and a transient status is tried up to four times.
func TestEveryStatus(t *testing.T) {
	for code, c := range map[int]struct {
		kind     error
		attempts int
	}{
		200: {nil, 1}, 201: {nil, 1}, 204: {nil, 1},
		400: {channel.ErrMalformed, 1}, 401: {channel.ErrUnauthorized, 1}, 403: {channel.ErrForbidden, 1},
		404: {channel.ErrNotFound, 1}, 413: {channel.ErrTooLarge, 1}, 422: {channel.ErrInvalid, 1},
		301: {channel.ErrMalformed, 1}, 302: {channel.ErrMalformed, 1}, 303: {channel.ErrMalformed, 1},
		307: {channel.ErrMalformed, 1}, 308: {channel.ErrMalformed, 1},
		408: {channel.ErrUnavailable, 4}, 418: {channel.ErrUnavailable, 4}, 429: {channel.ErrUnavailable, 4},
		500: {channel.ErrUnavailable, 4}, 503: {channel.ErrUnavailable, 4},
	} {
		s := &script{answers: []func(http.ResponseWriter, *http.Request){status(code, "because of the test\n")}}
		remote, _ := start(t, s)
		_, err := remote.Put(t.Context(), upload(t))
		require.Len(t, s.uploads, c.attempts, code)
		if c.kind == nil {
			require.NoError(t, err, code)
			continue
		}
		require.ErrorIs(t, err, c.kind, code)
		require.NotContains(t, fmt.Sprintf("%+v", err), token)
		if code >= 400 {
			require.ErrorContains(t, err, fmt.Sprintf("HTTP %d: because of the test", code))
		}
		require.Equal(t, operr.Failed, operr.ExitStatus(err))
	}
}

func TestTransientFailureIsRetried(t *testing.T) {
	for name, trouble := range map[string]func(http.ResponseWriter, *http.Request){
		"503": status(503, ""), "a reset": reset,
		"429": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			status(429, "")(w, r)
		},
	} {
		s := &script{answers: []func(http.ResponseWriter, *http.Request){trouble, status(200, "")}}
		remote, w := start(t, s)
		receipt, err := remote.Put(t.Context(), upload(t))
		require.NoError(t, err, name)
		require.False(t, receipt.Existed)
		require.Len(t, s.uploads, 2, name)
		if name == "429" {
			require.Equal(t, []time.Duration{7 * time.Second}, w.asked, "Retry-After is honored")
		}
	}
}

// If the response to an upload is lost, the client checks whether the channel has the file before it retries.
func TestLostResponseIsChecked(t *testing.T) {
	u := upload(t)
	data, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	s := &script{
		answers: []func(http.ResponseWriter, *http.Request){status(502, "")},
		files: map[string][]byte{
			"/sub/path/demo/noarch/" + u.File: data, // the file has arrived, but is not in the index yet
		},
	}
	remote, _ := start(t, s)
	_, err = remote.Put(t.Context(), u)
	require.NoError(t, err)
	require.Len(t, s.uploads, 1)
}

func index(t *testing.T, file, sum string) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"packages.conda": map[string]any{file: map[string]any{
		"name": "a", "version": "1.0", "build": "pyh4616a5c_0", "sha256": sum,
	}}})
	require.NoError(t, err)
	return b
}

func TestConflictIsCompared(t *testing.T) {
	u := upload(t)
	other := sha256.Sum256([]byte("other"))
	for name, c := range map[string]struct {
		files map[string][]byte
		have  string
	}{
		"the index has the same file":     {map[string][]byte{"repodata.json": index(t, u.File, u.Record.SHA256)}, u.Record.SHA256},
		"the index has another file":      {map[string][]byte{"repodata.json": index(t, u.File, strings.Repeat("0", 64))}, strings.Repeat("0", 64)},
		"the index lags":                  {map[string][]byte{u.File: []byte("other")}, hex.EncodeToString(other[:])},
		"nothing is visible":              {nil, ""},
		"the index has only another file": {map[string][]byte{"repodata.json": index(t, "b-1-0.conda", "")}, ""},
	} {
		s := &script{answers: []func(http.ResponseWriter, *http.Request){status(409, "exists")}, files: map[string][]byte{}}
		for file, data := range c.files {
			s.files["/sub/path/demo/noarch/"+file] = data
		}
		remote, _ := start(t, s)
		receipt, err := remote.Put(t.Context(), u)
		require.Len(t, s.uploads, 1)
		if c.have == u.Record.SHA256 {
			require.NoError(t, err, name)
			require.True(t, receipt.Existed, name)
			continue
		}
		var exists *channel.ExistsError
		require.ErrorAs(t, err, &exists, name)
		require.Equal(t, channel.ExistsError{File: u.File, Have: c.have, Sent: u.Record.SHA256}, *exists, name)
		next := "raise the version"
		if c.have == "" {
			next = "does not show the file yet"
		}
		require.Contains(t, fmt.Sprintf("%+v", err), next)
	}
}

func TestAnUploadThatRedirectsIsNotFollowed(t *testing.T) {
	s := &script{answers: []func(http.ResponseWriter, *http.Request){status(302, "")}, files: map[string][]byte{"/elsewhere": []byte("fine")}}
	remote, _ := start(t, s)
	_, err := remote.Put(t.Context(), upload(t))
	require.ErrorContains(t, err, "redirects")
	require.Len(t, s.uploads, 1)
}

func TestAddresses(t *testing.T) {
	for server, says := range map[string]string{
		"http://example.org":        "a token is not sent over plain http",
		"http://127.0.0.1.evil.com": "a token is not sent over plain http",
		"http://10.0.0.1:80":        "a token is not sent over plain http",
		"ftp://example.org":         "not an http or https URL",
		"example.org":               "not an http or https URL",
		"https://me:pw@example.org": "must have only scheme, host and path",
		"https://example.org?x=1":   "must have only scheme, host and path",
	} {
		_, err := prefixdev.New(prefixdev.Options{Server: server, Token: token})
		require.ErrorContains(t, err, says, server)
		require.NotContains(t, err.Error(), token)
		require.NotContains(t, err.Error(), "pw")
	}
	for _, server := range []string{"", "https://example.org/base/", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"} {
		_, err := prefixdev.New(prefixdev.Options{Server: server, Token: token})
		require.NoError(t, err, server)
	}
	_, err := prefixdev.New(prefixdev.Options{Server: "http://example.org"})
	require.NoError(t, err, "reading needs no secret")
	_, err = prefixdev.New(prefixdev.Options{Token: token + "\n"})
	require.ErrorContains(t, err, "white space")
	c, err := prefixdev.New(prefixdev.Options{})
	require.NoError(t, err)
	require.Equal(t, prefixdev.DefaultServer, c.Server())
	for _, name := range []string{"", "a/b", "..", "api"} {
		_, err := c.Channel(name)
		require.Equal(t, operr.Usage, operr.ExitStatus(err), name)
	}
}

func TestTokenIsNotShown(t *testing.T) {
	secret := prefixdev.Token(token)
	text, err := json.Marshal(map[string]any{"t": secret, "o": prefixdev.Options{Token: secret}.Token})
	require.NoError(t, err)
	for _, s := range []string{
		string(text), fmt.Sprint(secret), fmt.Sprintf("%s %q %v %+v %#v %x", secret, secret, secret, secret, secret, secret),
		fmt.Sprintf("%+v %#v", prefixdev.Options{Token: secret}, prefixdev.Options{Token: secret}),
	} {
		require.NotContains(t, s, token)
		require.NotContains(t, s, hex.EncodeToString([]byte(token)))
	}
}

func TestReadingFollowsRedirectsWithoutTheToken(t *testing.T) {
	var seen []http.Header
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Clone())
		if !strings.HasPrefix(r.URL.Path, "/blob") {
			http.Redirect(w, r, "/blob", http.StatusFound)
			return
		}
		io.WriteString(w, "bytes")
	}))
	defer h.Close()
	c, err := prefixdev.New(prefixdev.Options{Server: h.URL, Token: token})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)
	f, err := remote.Open(t.Context(), "noarch", "a-1-0.conda")
	require.NoError(t, err)
	defer f.Close()
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "bytes", string(data))
	require.Len(t, seen, 2)
	for _, header := range seen {
		require.Empty(t, header.Get("Authorization"))
		require.Equal(t, "no-cache", header.Get("Cache-Control"), "past caches")
	}
}

func TestShardsOnAnotherServer(t *testing.T) {
	// The base URL of shards is resolved against the subdir's URL, with and without a trailing slash.
	for _, base := range []string{"../../blobs", "/sub/path/blobs/", "./here/"} {
		shards := shardsOf(t, base)
		remote, _ := start(t, &script{files: shards})
		records, err := remote.Records(t.Context(), "noarch", "a", "none")
		require.NoError(t, err, base)
		require.Len(t, records, 1, base)
	}
}
