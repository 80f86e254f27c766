package prefixdev_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// hiding is a server with one channel. It rejects requests without one of the good tokens with the given status.
type hiding struct {
	mu     sync.Mutex
	status int
	good   map[string]bool // accepted Authorization headers; "" allows anonymous requests
	asked  []string        // Authorization header of each request, in order
	files  map[string][]byte
}

// `now` changes the status and the accepted tokens, and clears the list of requests.
func (h *hiding) now(status int, good ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.good, h.asked = status, map[string]bool{}, nil
	for _, token := range good {
		h.good[token] = true
	}
}

func (h *hiding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	token := r.Header.Get("Authorization")
	h.asked = append(h.asked, token)
	switch {
	case !h.good[token]:
		http.Error(w, "no", h.status)
	case r.Method != http.MethodGet:
	case h.files[r.URL.Path] != nil:
		_, _ = w.Write(h.files[r.URL.Path])
	case r.URL.Path == "/ours/noarch/"+repodata.JSON:
		_, _ = io.WriteString(w, `{"packages":{},"packages.conda":{}}`)
	default:
		http.NotFound(w, r)
	}
}

func (h *hiding) channel(t *testing.T, ask func(context.Context) (prefixdev.Credential, error)) (*prefixdev.Channel, *prefixdev.Key) {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	client, err := prefixdev.New(prefixdev.Options{Server: web.URL, Attempts: 1})
	require.NoError(t, err)
	c, err := client.Channel("ours")
	require.NoError(t, err)
	if ask == nil {
		return c, nil
	}
	k := prefixdev.NewKey(ask)
	c.Use(k)
	return c, k
}

// Every method that reads first tries without a token. If the server rejects the request, the method uses the key, which is requested only once.
func TestPrivateChannelIsReadWithTheKey(t *testing.T) {
	ways := map[string]func(ctx context.Context, c *prefixdev.Channel) error{
		"records": func(ctx context.Context, c *prefixdev.Channel) error {
			_, err := c.Records(ctx, "noarch", "a")
			return err
		},
		"open": func(ctx context.Context, c *prefixdev.Channel) error {
			f, err := c.Open(ctx, "noarch", repodata.JSON)
			if err == nil {
				err = f.Close()
			}
			return err
		},
		"whole": func(ctx context.Context, c *prefixdev.Channel) error {
			return c.ReadWhole(ctx, "noarch", repodata.JSON, func(io.Reader) error { return nil })
		},
		"forms": func(ctx context.Context, c *prefixdev.Channel) error { return c.Forms(ctx, "noarch", "a")[0].Err },
	}
	for name, way := range ways {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
			h := &hiding{status: status, good: map[string]bool{"Bearer pfx_good": true}}
			asked := 0
			c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
				asked++
				return prefixdev.Credential{Token: "pfx_good", Source: "a file"}, nil
			})
			require.NoError(t, way(t.Context(), c), "%s after %d", name, status)
			require.NoError(t, way(t.Context(), c))
			require.Equal(t, 1, asked, "%s after %d", name, status)
			require.Empty(t, h.asked[0], "the first request has no credential")
			require.NoError(t, c.Unseen())
			private, err := c.Private(t.Context())
			require.NoError(t, err)
			require.True(t, private)
			h.now(status, "Bearer pfx_good")
			require.NoError(t, way(t.Context(), c))
			require.NotContains(t, h.asked, "", "a known private channel is only asked with a credential")
		}
	}
}

// A public channel is read without the key, and the key is not requested, even if a file is missing.
func TestPublicChannelNeedsNoKey(t *testing.T) {
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		t.Error("somebody asks for the key")
		return prefixdev.Credential{Token: "pfx_good", Source: "a file"}, nil
	})
	_, err := c.Records(t.Context(), "linux-64", "a")
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.NotContains(t, err.Error(), "no public channel has this address")
	_, err = c.Records(t.Context(), "noarch", "a")
	require.NoError(t, err)
	private, err := c.Private(t.Context())
	require.NoError(t, err)
	require.False(t, private)
	require.NoError(t, c.Unseen())
	for _, token := range h.asked {
		require.Empty(t, token)
	}
	h.now(http.StatusNotFound)
	_, err = c.Records(t.Context(), "noarch", "a")
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.NotContains(t, err.Error(), "no public channel has this address")
}

// Once a channel's index was read without a key, the channel is treated as public.
func TestChannelIsPublicAfterOneRead(t *testing.T) {
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		t.Error("somebody asks for the key")
		return prefixdev.Credential{Token: "pfx_good"}, nil
	})
	_, err := c.Records(t.Context(), "noarch", "a")
	require.NoError(t, err)
	h.now(http.StatusNotFound)
	_, err = c.Records(t.Context(), "noarch", "a")
	require.ErrorIs(t, err, channel.ErrNotFound)
}

// If the server has a temporary problem, the key is not requested, and the error reports the problem.
func TestKeyIsNotRequestedDuringTrouble(t *testing.T) {
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"Bearer pfx_good": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		t.Error("somebody asks for the key")
		return prefixdev.Credential{Token: "pfx_good"}, nil
	})
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		h.now(status, "Bearer pfx_good")
		_, err := c.Private(t.Context())
		require.ErrorIs(t, err, channel.ErrUnavailable)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnavailable)
		require.NoError(t, c.Unseen())
	}
}

// A channel that is created or made public after a failed read can be read from then on, even without a key.
func TestChannelThatBecomesReadable(t *testing.T) {
	h := &hiding{status: http.StatusNotFound}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone })
	_, err := c.Records(t.Context(), "noarch", "a")
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.ErrorIs(t, c.Unseen(), prefixdev.ErrNone)
	h.now(http.StatusNotFound, "")
	_, err = c.Records(t.Context(), "noarch", "a")
	require.NoError(t, err)
	require.NoError(t, c.Unseen())
}

// After a first upload, which may create the channel, the uploaded file is used to find out whether the channel is private.
func TestChannelCreatedByAnUpload(t *testing.T) {
	for who, want := range map[string]bool{"": false, "Bearer pfx_good": true} {
		h := &hiding{status: http.StatusNotFound}
		c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
			return prefixdev.Credential{Token: "pfx_good"}, nil
		})
		private, err := c.Private(t.Context())
		require.NoError(t, err)
		require.False(t, private)
		u := upload(t)
		h.files = map[string][]byte{"/ours/noarch/" + u.File: {1}}
		h.now(http.StatusNotFound, "Bearer pfx_good", who)
		_, err = c.Put(t.Context(), u)
		require.NoError(t, err)
		asked := len(h.asked)
		private, err = c.Private(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, private)
		require.Len(t, h.asked, asked, "the key is not asked for the index")
	}
}

// If an index refers to shards on another server, the key is not sent to that server.
func TestNoOtherServerGetsTheKey(t *testing.T) {
	other := &hiding{status: http.StatusNotFound, good: map[string]bool{"": true}}
	elsewhere := httptest.NewServer(other)
	t.Cleanup(elsewhere.Close)
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"Bearer pfx_good": true}, files: map[string][]byte{}}
	for path, data := range shardsOf(t, elsewhere.URL+"/shards/") {
		if strings.HasSuffix(path, repodata.Shards) {
			h.files["/ours/noarch/"+repodata.Shards] = data
		}
	}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		return prefixdev.Credential{Token: "pfx_good"}, nil
	})
	_, err := c.Records(t.Context(), "noarch", "a")
	require.ErrorContains(t, err, "names a shard that the server does not have")
	require.Equal(t, []string{""}, other.asked)
}

// The error distinguishes a channel that the credential cannot read from a channel that was read without a credential.
func TestErrorForAnInvisibleChannel(t *testing.T) {
	down := errors.New("the server does not answer")
	for name, c := range map[string]struct {
		ask    func(context.Context) (prefixdev.Credential, error)
		status int
		unseen error
		is     error
		says   string
	}{
		"no key":       {nil, 404, nil, channel.ErrNotFound, "HTTP 404"},
		"none found":   {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }, 404, prefixdev.ErrNone, channel.ErrNotFound, "set PREFIX_API_KEY to read a private channel"},
		"none for 401": {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }, 401, prefixdev.ErrNone, channel.ErrUnauthorized, "set PREFIX_API_KEY to read a private channel"},
		"no answer":    {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, down }, 404, down, channel.ErrNotFound, "no credential was found to ask for a private channel: the server does not answer"},
		"not there": {
			ask: func(context.Context) (prefixdev.Credential, error) {
				return prefixdev.Credential{Token: "pfx_other", Source: "the entry x"}, nil
			},
			status: 404,
			unseen: nil,
			is:     channel.ErrNotFound,
			says:   "and no private channel is visible with the entry x",
		},
		"refused": {
			ask: func(context.Context) (prefixdev.Credential, error) {
				return prefixdev.Credential{Token: "pfx_other", Source: "the entry x"}, nil
			},
			status: 403,
			unseen: nil,
			is:     channel.ErrForbidden,
			says:   "HTTP 403",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hiding{status: c.status, good: map[string]bool{}}
			ch, _ := h.channel(t, c.ask)
			_, err := ch.Records(t.Context(), "noarch", "a")
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "pfx_other")
			require.ErrorIs(t, ch.Unseen(), c.unseen)
			_, err = ch.Authorize(t.Context())
			switch {
			case c.ask == nil:
				require.ErrorIs(t, err, prefixdev.ErrNone)
			default:
				require.ErrorIs(t, err, c.unseen)
			}
		})
	}
}

// If a CI credential expires while a channel is read, a new one is requested once. The server may respond to an expired credential with 401 or
// 404.
func TestExpiredMintedKey(t *testing.T) {
	for status, asks := range map[int]int{http.StatusUnauthorized: 1, http.StatusNotFound: 4} { // after a 404, the index is requested in each form, and then checked
		h := &hiding{status: status, good: map[string]bool{"Bearer first": true}}
		now, asked := time.Now(), 0
		c, k := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
			asked++
			return prefixdev.Credential{Token: map[int]prefixdev.Token{1: "first", 2: "second"}[asked], Minted: true, Source: "a CI"}, nil
		})
		k.Now = func() time.Time { return now }
		_, err := c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
		_, err = c.Records(t.Context(), "linux-64", "a")
		require.ErrorIs(t, err, channel.ErrNotFound, "the channel is visible, but has none of these packages")
		h.now(status, "Bearer second")
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnauthorized, "within a minute, the source is not asked again")
		require.NotErrorIs(t, err, channel.ErrNotFound)
		require.Equal(t, 1, asked)
		require.Len(t, h.asked, asks, "the server is not asked again with a credential that it refused")
		now = now.Add(2 * time.Minute)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
		require.Equal(t, 2, asked)
	}
}

// If a key is revoked while a channel is read, the channel is not reported as missing.
func TestRevokedKey(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound} {
		h := &hiding{status: status, good: map[string]bool{"Bearer pfx_good": true}}
		c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
			return prefixdev.Credential{Token: "pfx_good", Source: "a file"}, nil
		})
		_, err := c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
		h.now(status)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnauthorized)
		require.NotErrorIs(t, err, channel.ErrNotFound)
		if status == http.StatusNotFound {
			require.ErrorContains(t, err, "/ours was readable with a file before, but is not readable now")
		}
		h.now(http.StatusServiceUnavailable)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnavailable)
	}
}

// A cancellation is not cached. Any other error is cached for the whole operation.
func TestErrorsOfAKeyAreCached(t *testing.T) {
	asked, says := 0, prefixdev.ErrNone
	k := prefixdev.NewKey(func(ctx context.Context) (prefixdev.Credential, error) {
		asked++
		if ctx.Err() != nil {
			return prefixdev.Credential{}, ctx.Err()
		}
		return prefixdev.Credential{Token: "t"}, says
	})
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a person pressed Ctrl-C"))
	_, err := k.Get(ended)
	require.ErrorContains(t, err, "pressed Ctrl-C")
	for range 3 {
		_, err = k.Get(t.Context())
		require.ErrorIs(t, err, prefixdev.ErrNone)
		_, err = k.Fresh(t.Context())
		require.ErrorIs(t, err, prefixdev.ErrNone)
	}
	require.Equal(t, 2, asked)
}

// A credential that does not expire is requested only once. A CI credential is renewed when it is a minute old.
func TestKeyRenewal(t *testing.T) {
	for minted, want := range map[bool][]int{false: {1, 1, 1, 1, 1}, true: {1, 1, 2, 2, 3}} {
		now, asked := time.Now(), 0
		k := prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
			asked++
			return prefixdev.Credential{Token: "t", Minted: minted}, nil
		})
		k.Now = func() time.Time { return now }
		var got []int
		for range want {
			_, err := k.Fresh(t.Context())
			require.NoError(t, err)
			_, err = k.Get(t.Context())
			require.NoError(t, err)
			got = append(got, asked)
			now = now.Add(40 * time.Second)
		}
		require.Equal(t, want, got, "minted: %v", minted)
	}
}

// GitLab issues one ID token per job, and it can be used only once. The minted credential is used as long as the server accepts it. After that,
// the error explains why it could not be renewed. The CI is asked at most once a minute.
func TestMintedKeyThatCannotBeRenewed(t *testing.T) {
	h := &hiding{status: http.StatusUnauthorized, good: map[string]bool{"Bearer first": true}}
	now, asked := time.Now(), 0
	c, k := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		if asked++; asked > 1 {
			return prefixdev.Credential{}, channel.Errorf(channel.ErrUnavailable, "the ID token was used before")
		}
		return prefixdev.Credential{Token: "first", Minted: true, Source: "a CI"}, nil
	})
	k.Now = func() time.Time { return now }
	_, err := c.Put(t.Context(), upload(t))
	require.NoError(t, err)
	now = now.Add(2 * time.Minute)
	for range 3 {
		_, err = c.Put(t.Context(), upload(t))
		require.NoError(t, err)
		require.NoError(t, c.Delete(t.Context(), "noarch", "a.conda"))
		_, err = c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
	}
	require.Equal(t, 2, asked)

	h.mu.Lock()
	h.good, h.asked = nil, nil
	h.mu.Unlock()
	for what, do := range map[string]func() error{
		"sent":    func() error { _, err := c.Put(t.Context(), upload(t)); return err },
		"removed": func() error { return c.Delete(t.Context(), "noarch", "a.conda") },
		"read":    func() error { _, err := c.Records(t.Context(), "noarch", "a"); return err },
	} {
		err := do()
		require.ErrorIs(t, err, channel.ErrUnauthorized, what)
		require.NotErrorIs(t, err, channel.ErrUnavailable, what)
		require.ErrorContains(t, err, "no new credential was found: the ID token was used before", what)
	}
	require.Len(t, h.asked, 3, "a refused credential is not tried again")
	require.Equal(t, 2, asked)
}

// While a caller requests the credential, another caller waits only until its own context is done. All others get the result.
func TestConcurrentRequestsOfAKey(t *testing.T) {
	begun, answer := make(chan struct{}), make(chan struct{})
	k := prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		close(begun)
		<-answer
		return prefixdev.Credential{Token: "t"}, nil
	})
	first := make(chan error)
	go func() {
		_, err := k.Get(t.Context())
		first <- err
	}()
	<-begun
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no time is left"))
	for _, get := range []func(context.Context) (prefixdev.Credential, error){k.Get, k.Fresh} {
		_, err := get(ended)
		require.EqualError(t, err, "no time is left")
	}
	close(answer)
	require.NoError(t, <-first)
	got, err := k.Get(ended)
	require.NoError(t, err)
	require.Equal(t, prefixdev.Token("t"), got.Token)
}

// Without a credential, no request is sent.
func TestNothingIsSentWithoutAKey(t *testing.T) {
	h := &hiding{status: http.StatusUnauthorized, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone })
	_, err := c.Put(t.Context(), upload(t))
	require.ErrorIs(t, err, prefixdev.ErrNone)
	require.ErrorIs(t, c.Delete(t.Context(), "noarch", "a.conda"), prefixdev.ErrNone)
	require.Empty(t, h.asked)
}
