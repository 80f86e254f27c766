package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/faults/faultstest"
)

func outcomes(seed uint64, keys []string) map[string][]string {
	d := faults.New(seed, 0.33)
	all := map[string][]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, key := range keys {
		wg.Go(func() {
			for range 20 {
				way, fails := d.Roll(key, 5)
				mu.Lock()
				all[key] = append(all[key], fmt.Sprint(way, fails))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

// The same seed gives the same faults, even if other calls run at the same time. Another seed gives other faults.
func TestSeedIsReproducible(t *testing.T) {
	keys := strings.Fields("a b c d e f g h")
	one := outcomes(1, keys)
	require.Equal(t, one, outcomes(1, keys))
	require.NotEqual(t, one, outcomes(2, keys))
	require.Equal(t, one["a"], outcomes(1, []string{"a"})["a"])
}

func TestShareOfFaults(t *testing.T) {
	d := faults.New(7, 0.33)
	failed := 0
	for i := range 3000 {
		if _, fails := d.Roll(fmt.Sprint(i), 1); fails {
			failed++
		}
	}
	require.InDelta(t, 1000, failed, 100)
}

// If a request fails before it reaches the server, the server does nothing. A request can also fail after the server handled it.
func TestFaultsOfRequests(t *testing.T) {
	var served atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			served.Add(1)
		}
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "0123456789")
	}))
	defer s.Close()
	c := &http.Client{Transport: faultstest.Transport(faults.New(3, 1), http.DefaultTransport)}
	seen := map[string]bool{}
	for i := range 200 {
		before := served.Load()
		resp, err := c.Post(fmt.Sprintf("%s/%d", s.URL, i), "text/plain", strings.NewReader("some body"))
		what := "transport"
		if err == nil {
			_, rerr := io.ReadAll(resp.Body)
			resp.Body.Close()
			what = fmt.Sprint(resp.StatusCode, rerr != nil)
		} else {
			require.ErrorIs(t, err, faults.ErrInjected)
		}
		seen[fmt.Sprint(what, served.Load() > before)] = true
	}
	require.Equal(t, map[string]bool{
		"transportfalse": true, "transporttrue": true, "503 falsefalse": true, "429 falsefalse": true, "502 falsetrue": true, "200 truetrue": true,
	}, seen)
}

// A server with faults fails before or after it serves a request, like a client with faults.
func TestFaultsOfAServer(t *testing.T) {
	var served atomic.Int64
	s := httptest.NewServer(faults.New(3, 1).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			served.Add(1)
		}
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "0123456789")
	})))
	defer s.Close()
	seen := map[string]bool{}
	for i := range 200 {
		before := served.Load()
		resp, err := http.Post(fmt.Sprintf("%s/%d", s.URL, i), "text/plain", strings.NewReader("some body"))
		what := "transport"
		if err == nil {
			_, rerr := io.ReadAll(resp.Body)
			resp.Body.Close()
			what = fmt.Sprint(resp.StatusCode, rerr != nil)
		}
		seen[fmt.Sprint(what, served.Load() > before)] = true
	}
	for _, way := range []string{"transportfalse", "transporttrue", "503 falsefalse", "429 falsefalse", "502 falsetrue"} {
		require.True(t, seen[way], "%s: %v", way, seen)
	}
}
