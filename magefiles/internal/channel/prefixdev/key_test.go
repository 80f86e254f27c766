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

// hiding is a server of one channel, which answers with a status to whoever has none of its tokens.
type hiding struct {
	mu     sync.Mutex
	status int
	good   map[string]bool // tokens; "" is anyone
	asked  []string        // the token of each request, in order
	files  map[string][]byte
}

// now changes who is let in, and forgets what was asked.
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

// Every way of reading asks as anyone first, and with the key where that shows nothing. The key is asked for once.
func TestWhatNobodySeesIsReadWithTheKey(t *testing.T) {
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
			require.Empty(t, h.asked[0], "as anyone first")
			require.NoError(t, c.Unseen())
			private, err := c.Private(t.Context())
			require.NoError(t, err)
			require.True(t, private)
			h.now(status, "Bearer pfx_good")
			require.NoError(t, way(t.Context(), c))
			require.NotContains(t, h.asked, "", "what is known to be private is not asked for as anyone")
		}
	}
}

// What anyone sees is read without the key, and the key is not asked for, also where a file is not there.
func TestAPublicChannelAsksForNoKey(t *testing.T) {
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		t.Error("somebody asks for the key")
		return prefixdev.Credential{Token: "pfx_good", Source: "a file"}, nil
	})
	_, err := c.Records(t.Context(), "linux-64", "a")
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.NotContains(t, err.Error(), "none that anyone can see")
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
	require.NotContains(t, err.Error(), "none that anyone can see")
}

// What was public at the first look, by its index alone, is public for every further question.
func TestAPublicChannelIsKnownByItsFirstAnswer(t *testing.T) {
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

// Trouble of a server says nothing of who may read: the key is not asked for, and the trouble is what is said.
func TestTroubleAsksForNoKey(t *testing.T) {
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

// A channel that somebody makes, or opens to all, while we look is seen from then on, though there is no key.
func TestAChannelThatIsSeenLater(t *testing.T) {
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

// A first upload may make the channel: what it has made is known by the file that was sent.
func TestAChannelThatAnUploadMakes(t *testing.T) {
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
		require.Len(t, h.asked, asked, "it is not asked for the index")
	}
}

// An index may send readers to another server for its shards: that one is not sent the key.
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
	require.ErrorContains(t, err, "names a shard that is not there")
	require.Equal(t, []string{""}, other.asked)
}

// A channel that shows nothing is told from one that was not asked with a credential, and the words say which.
func TestWhyNothingWasSeen(t *testing.T) {
	down := errors.New("the server does not answer")
	for name, c := range map[string]struct {
		ask    func(context.Context) (prefixdev.Credential, error)
		status int
		unseen error
		is     error
		says   string
	}{
		"no key":       {nil, 404, nil, channel.ErrNotFound, "HTTP 404"},
		"none found":   {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }, 404, prefixdev.ErrNone, channel.ErrNotFound, "with the key in PREFIX_API_KEY"},
		"none for 401": {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone }, 401, prefixdev.ErrNone, channel.ErrUnauthorized, "with the key in PREFIX_API_KEY"},
		"no answer":    {func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, down }, 404, down, channel.ErrNotFound, "whether it is private cannot be asked: the server does not answer"},
		"not there": {
			ask: func(context.Context) (prefixdev.Credential, error) {
				return prefixdev.Credential{Token: "pfx_other", Source: "the entry x"}, nil
			},
			status: 404,
			unseen: nil,
			is:     channel.ErrNotFound,
			says:   "nor who has the entry x",
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

// What a CI gave may end while it is read with: another one is asked for, once. A server may say so by 401, or call a private channel absent.
func TestAMintedKeyThatHasEnded(t *testing.T) {
	for status, asks := range map[int]int{http.StatusUnauthorized: 1, http.StatusNotFound: 4} { // each form of the index, and then whether it is there
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
		require.ErrorIs(t, err, channel.ErrNotFound, "it is there, and has none of these")
		h.now(status, "Bearer second")
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnauthorized, "within a minute nobody is asked again")
		require.NotErrorIs(t, err, channel.ErrNotFound)
		require.Equal(t, 1, asked)
		require.Len(t, h.asked, asks, "nor is the server, with what it has refused")
		now = now.Add(2 * time.Minute)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
		require.Equal(t, 2, asked)
	}
}

// A key that is revoked while we look makes no channel absent: what was there is not taken for "not there".
func TestAKeyThatIsRevoked(t *testing.T) {
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
			require.ErrorContains(t, err, "/ours was there for who has a file, and is not any more")
		}
		h.now(http.StatusServiceUnavailable)
		_, err = c.Records(t.Context(), "noarch", "a")
		require.ErrorIs(t, err, channel.ErrUnavailable)
	}
}

// Whoever ends an operation does not decide what the next one finds, and an error counts for the whole of one.
func TestAKeyRemembersWhatItWasTold(t *testing.T) {
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

// What does not end is asked for once, whatever time goes by; what a CI gave is asked for again a minute after it was asked for last.
func TestWhenAKeyIsAskedForAgain(t *testing.T) {
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

// GitLab gives a job one ID token, which is good once. What it was exchanged for is used as long as the server takes it; where that is over,
// it is said why there is no other. Nobody is asked more than once a minute.
func TestAMintedKeyThatHasNoOther(t *testing.T) {
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
		require.ErrorContains(t, err, "there is no other: the ID token was used before", what)
	}
	require.Len(t, h.asked, 3, "what is refused is not tried again")
	require.Equal(t, 2, asked)
}

// Whoever waits for a key that another one asks for leaves when its own time is over, and what was asked for counts for the rest.
func TestAKeyThatIsBeingAskedFor(t *testing.T) {
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

// Without a credential nothing is sent.
func TestNothingIsSentWithoutAKey(t *testing.T) {
	h := &hiding{status: http.StatusUnauthorized, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) { return prefixdev.Credential{}, prefixdev.ErrNone })
	_, err := c.Put(t.Context(), upload(t))
	require.ErrorIs(t, err, prefixdev.ErrNone)
	require.ErrorIs(t, c.Delete(t.Context(), "noarch", "a.conda"), prefixdev.ErrNone)
	require.Empty(t, h.asked)
}
