package session_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// keyServer is a fake of a service that stores keys, one of which is current.
type keyServer struct {
	URL string

	mu      sync.Mutex
	keys    map[string]bool
	current string
	broken  error // error for every request; nil for none
	left    *int  // number of requests to answer; nil for all
}

func startKeyServer(t testing.TB) *keyServer {
	s := &keyServer{keys: map[string]bool{"key-1": true}, current: "key-1"}
	web := httptest.NewServer(s)
	if t != nil {
		t.Cleanup(web.Close)
	}
	s.URL = web.URL
	return s
}

func (s *keyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/keys/")
	body, _ := io.ReadAll(r.Body)
	switch {
	case s.left != nil && *s.left <= 0:
		http.Error(w, "it is gone", http.StatusServiceUnavailable)
		return
	}
	if s.left != nil {
		*s.left--
	}
	switch {
	case s.broken != nil:
		http.Error(w, s.broken.Error(), http.StatusServiceUnavailable)
	case r.URL.Path == "/current" && r.Method == http.MethodPut:
		s.current = string(body)
	case r.URL.Path == "/current":
		fmt.Fprint(w, s.current)
	case r.Method == http.MethodPut:
		s.keys[name] = true
	case r.Method == http.MethodDelete:
		delete(s.keys, name)
	case !s.keys[name]:
		http.NotFound(w, r)
	}
}

// breakAfter implements Site.Break.
func (s *keyServer) breakAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left = &n; n < 0 {
		s.left = nil
	}
}

// `all` returns a star and the current key, followed by all keys.
func (s *keyServer) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "*" + s.current + " of " + strings.Join(slices.Sorted(maps.Keys(s.keys)), " ")
}

func (s *keyServer) ask(ctx context.Context, method, path, body string) (text string, there bool, err error) {
	return ask(ctx, method, s.URL+path, body)
}

// ask sends a request. A missing key is not an error.
func ask(ctx context.Context, method, url, body string) (text string, there bool, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", false, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", false, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 500 {
		err = fmt.Errorf("%s: %s", resp.Status, data)
	}
	return string(data), resp.StatusCode == http.StatusOK, err
}
