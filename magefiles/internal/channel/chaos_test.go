package channel_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/faults/faultstest"
)

var (
	seed    = flag.Uint64("seed", 1, "of the faults in TestChaos")
	uploads = flag.Int("uploads", 1000, "in TestChaos")
)

// TestChaos uploads a thousand artifacts while a third of all requests fail, in every way that a request can fail. Like a user, it repeats failed
// uploads. At the end, every artifact has been stored exactly once, and the index is correct.
// To repeat a run: go test -run TestChaos ./magefiles/internal/channel -seed=N
func TestChaos(t *testing.T) {
	t.Logf("seed %d", *seed)
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	next := server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()})
	var mu sync.Mutex
	stored := map[string]int{}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &counter{ResponseWriter: w}
		next.ServeHTTP(c, r)
		if c.status == http.StatusCreated {
			mu.Lock()
			stored[r.Header.Get("Content-Type")]++
			mu.Unlock()
		}
	}))
	defer h.Close()
	dice := faults.New(*seed, 1./3)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	c, err := prefixdev.New(prefixdev.Options{
		Server:    h.URL,
		Token:     key,
		Transport: faultstest.Transport(dice, transport),
		Wait:      func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)

	dir, want := t.TempDir(), map[string]string{}
	left := make([]channel.Upload, *uploads)
	for i := range left {
		u, err := channel.NewUpload(condapkgtest.Package{Name: fmt.Sprintf("p%d", i%(*uploads/2+1)), Version: fmt.Sprint(i)}.Write(t, dir))
		require.NoError(t, err)
		left[i], want[u.File] = u, u.Record.SHA256
	}
	rounds := 0
	for ; len(left) > 0; rounds++ {
		require.Less(t, rounds, 20, "%d uploads are left", len(left))
		left = round(t, remote, left)
		t.Logf("round %d: %d are left", rounds+1, len(left))
	}

	have, err := s.Channel(t.Context(), "demo")
	require.NoError(t, err)
	require.Equal(t, want, channeltest.Index(t, have, "noarch"))
	require.Len(t, stored, *uploads)
	for what, n := range stored {
		require.Equal(t, 1, n, what)
	}
	for file := range want {
		sent, err := os.ReadFile(dir + "/" + file)
		require.NoError(t, err)
		f, err := have.Open(t.Context(), "noarch", file)
		require.NoError(t, err)
		got, err := io.ReadAll(f)
		f.Close()
		require.NoError(t, err)
		require.Equal(t, sent, got)
	}
	require.NoError(t, s.Close())
}

// round uploads everything once and returns the failed uploads.
func round(t *testing.T, c channel.Channel, uploads []channel.Upload) (left []channel.Upload) {
	var group errgroup.Group
	group.SetLimit(8)
	var mu sync.Mutex
	for _, u := range uploads {
		group.Go(func() error {
			if _, err := c.Put(t.Context(), u); err != nil {
				mu.Lock()
				left = append(left, u)
				mu.Unlock()
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	return left
}

type counter struct {
	http.ResponseWriter
	status int
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}
