package github_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/faults/faultstest"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const (
	repository = "Some-Owner/some.repo"
	token      = "ghp_secretsecret"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	tag        = "pkg/v1.2.0"
)

// world is the embedded GitHub server, which serves files at a separate address.
type world struct {
	*server.Server
	url string
}

func start(t *testing.T, o server.Options) *world {
	t.Helper()
	store := httptest.NewUnstartedServer(nil)
	api := httptest.NewUnstartedServer(nil)
	o.Repository, o.Token, o.Blobs = repository, token, "http://"+store.Listener.Addr().String()
	if o.Tag == nil {
		o.Tag = func(name string) (server.Tag, bool) {
			return server.Tag{Object: strings.Repeat("a", 40), Commit: commit}, name == tag
		}
	}
	s, err := server.New(o)
	require.NoError(t, err)
	store.Config.Handler, api.Config.Handler = s, s
	for _, h := range []*httptest.Server{store, api} {
		h.Start()
		t.Cleanup(h.Close)
	}
	return &world{s, api.URL}
}

func client(t *testing.T, url string, o github.Options) *github.Client {
	t.Helper()
	o.API, o.Repository = url, repository
	if o.Wait == nil {
		o.Wait = func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }
	}
	c, err := github.New(o)
	require.NoError(t, err)
	return c
}

// release returns a release with three files, some of which GitHub renames.
func release(t *testing.T) github.Release {
	t.Helper()
	r := github.Release{Tag: tag, Commit: commit, Name: "1.2.0", Notes: "### Added\n\n- a thing\n"}
	dir := t.TempDir()
	for i, name := range []string{"a-1.2.0-0.conda", "b-1!1.2.0-0.conda", "c d.txt"} {
		content := strings.Repeat(name, 1000*(3-i))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		sum := sha256.Sum256([]byte(content))
		r.Files = append(r.Files, github.Asset{Path: path, Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))})
	}
	return r
}

// published checks that the release was published exactly once and is complete, and that the server created no tag.
func (w *world) published(t *testing.T, r github.Release) {
	t.Helper()
	want := map[string]string{}
	for _, f := range r.Files {
		want[github.AssetName(f.Name)] = f.SHA256
	}
	all, drafts := w.Published()
	require.Zero(t, drafts, "drafts are left")
	require.Len(t, all, 1)
	require.Equal(t, 1, all[0].Times)
	require.Equal(t, want, all[0].Assets)
	require.Empty(t, w.TagsMade())
}

func TestEnsure(t *testing.T) {
	w, r := start(t, server.Options{Immutable: true}), release(t)
	var sent sync.Map
	c := client(t, w.url, github.Options{Token: token, Sent: func(file string, n, size int64) { sent.Store(file, n == size) }})

	before, done, err := c.Check(t.Context(), r)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, []string{"create a draft"}, before.Did)

	result, err := c.Ensure(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, []string{"create a draft", "attach a-1.2.0-0.conda", "attach b-1!1.2.0-0.conda", "attach c d.txt", "publish"}, result.Did)
	require.Len(t, result.Assets, 3)
	require.Equal(t, "b-1.1.2.0-0.conda", result.Assets[1].Name)
	require.False(t, result.Published.IsZero())
	w.published(t, r)
	for _, f := range r.Files {
		whole, _ := sent.Load(f.Name)
		require.Equal(t, true, whole)
	}
	resp, err := http.Get(result.Assets[0].URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	sum := sha256.Sum256(got)
	require.Equal(t, r.Files[0].SHA256, hex.EncodeToString(sum[:]), "what people download")

	again, done, err := c.Check(t.Context(), r)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, result.Assets, again.Assets)
	repeated, err := c.Ensure(t.Context(), r)
	require.NoError(t, err)
	require.Empty(t, repeated.Did)

	anyone, err := client(t, w.url, github.Options{}).Look(t.Context(), tag)
	require.NoError(t, err)
	require.Equal(t, commit, anyone.Commit, "of an annotated tag")
	require.NotNil(t, anyone.Published)
}

// Ensure leaves it to GitHub to choose the latest release, by version and date, but never lets a pre-release become the latest.
func TestLatestRelease(t *testing.T) {
	for want, prerelease := range map[string]bool{"legacy": false, "false": true} {
		w, r := start(t, server.Options{}), release(t)
		r.Prerelease = prerelease
		_, err := client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
		require.NoError(t, err)
		all, _ := w.Published()
		require.Len(t, all, 1)
		require.Equal(t, want, all[0].Latest)
	}
}

// died is a transport that simulates a kill of the client. It fails after the number of requests in `left`.
type died struct {
	next   http.RoundTripper
	left   atomic.Int64
	served bool // whether the first request that fails still reaches the server, so that only the response is lost
}

func (d *died) RoundTrip(r *http.Request) (*http.Response, error) {
	left := d.left.Add(-1)
	if left == -1 && d.served {
		if resp, err := d.next.RoundTrip(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	if left < 0 {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errors.New("killed")
	}
	return d.next.RoundTrip(r)
}

// If a run is killed before any of its requests, or between a request and its response, the next run completes the release.
func TestKilledBetweenAnyTwoRequests(t *testing.T) {
	kills := 0
	for n := int64(0); ; n++ {
		through := 0
		for _, served := range []bool{false, true} {
			w, r := start(t, server.Options{Immutable: true}), release(t)
			d := &died{next: http.DefaultTransport, served: served}
			d.left.Store(n)
			_, err := client(t, w.url, github.Options{Token: token, Transport: d, Attempts: 1}).Ensure(t.Context(), r)
			if err == nil {
				through++
			} else {
				require.ErrorContains(t, err, "killed")
				kills++
			}
			_, err = client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
			require.NoError(t, err, "killed after %d requests, served %v", n, served)
			w.published(t, r)
		}
		if through == 2 {
			t.Logf("%d kills", kills)
			require.Greater(t, kills, 40)
			return
		}
	}
}

// A third of all requests fail, in various ways. The test uses forty seeds, and repeats failed runs as a user would. With every other seed, the
// server is restarted in between.
func TestRandomFaults(t *testing.T) {
	runs := 0
	for seed := range uint64(40) {
		dir := t.TempDir()
		w, r := start(t, server.Options{Dir: dir}), release(t)
		dice := faults.New(seed, 1./3)
		c := client(t, w.url, github.Options{Token: token, Transport: faultstest.Transport(dice, http.DefaultTransport)})
		for n := 1; ; n++ {
			runs++
			require.Less(t, n, 40, "seed %d", seed)
			_, err := c.Ensure(t.Context(), r)
			if err == nil {
				break
			}
			require.NotEqual(t, operr.Stopped, operr.ExitStatus(err), "seed %d: %+v", seed, err)
			require.NotContains(t, fmt.Sprintf("%+v", err), token)
			if seed%2 == 0 {
				w = start(t, server.Options{Dir: dir})
				c = client(t, w.url, github.Options{Token: token, Transport: faultstest.Transport(dice, http.DefaultTransport)})
			}
		}
		w.published(t, r)
	}
	t.Logf("%d runs for 40 releases", runs)
}

// Concurrent runs publish a single release that contains each file once.
func TestConcurrentRuns(t *testing.T) {
	for range 20 {
		w, r := start(t, server.Options{}), release(t)
		var wg sync.WaitGroup
		for range 2 {
			c := client(t, w.url, github.Options{Token: token, Attempts: 20})
			wg.Go(func() { _, _ = c.Ensure(t.Context(), r) })
		}
		wg.Wait()
		all, _ := w.Published()
		require.Len(t, all, 1)
		require.Len(t, all[0].Assets, 3)
		require.Equal(t, 1, all[0].Times)
		result, err := client(t, w.url, github.Options{Token: token}).Ensure(t.Context(), r)
		require.NoError(t, err)
		_, drafts := w.Published()
		require.Len(t, result.Left, drafts, "a draft with files is listed")
	}
}
