package prefixdev_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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
}

func (h *hiding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	token := r.Header.Get("Authorization")
	h.asked = append(h.asked, token)
	switch {
	case !h.good[token]:
		http.Error(w, "no", h.status)
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
		}
	}
}

// What anyone sees is read without the key, and the key is not asked for, also where a file is not there.
func TestAPublicChannelAsksForNoKey(t *testing.T) {
	h := &hiding{status: http.StatusNotFound, good: map[string]bool{"": true}}
	c, _ := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		return prefixdev.Credential{}, errors.New("nobody asks")
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
		"not there": {func(context.Context) (prefixdev.Credential, error) {
			return prefixdev.Credential{Token: "pfx_other", Source: "the entry x"}, nil
		}, 404, nil, channel.ErrNotFound, "nor who has the entry x"},
		"refused": {func(context.Context) (prefixdev.Credential, error) {
			return prefixdev.Credential{Token: "pfx_other", Source: "the entry x"}, nil
		}, 403, nil, channel.ErrForbidden, "HTTP 403"},
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

// What a CI gave may end while it is read with: another one is asked for, once.
func TestAMintedKeyThatHasEnded(t *testing.T) {
	h := &hiding{status: http.StatusUnauthorized, good: map[string]bool{"Bearer first": true}}
	now, asked := time.Now(), 0
	c, k := h.channel(t, func(context.Context) (prefixdev.Credential, error) {
		asked++
		return prefixdev.Credential{Token: map[int]prefixdev.Token{1: "first", 2: "second"}[asked], Minted: true, Source: "a CI"}, nil
	})
	k.Now = func() time.Time { return now }
	_, err := c.Records(t.Context(), "noarch", "a")
	require.NoError(t, err)
	h.mu.Lock()
	h.good = map[string]bool{"Bearer second": true}
	h.mu.Unlock()
	_, err = c.Records(t.Context(), "noarch", "a")
	require.ErrorIs(t, err, channel.ErrUnauthorized, "within a minute nobody is asked again")
	require.Equal(t, 1, asked)
	now = now.Add(2 * time.Minute)
	_, err = c.Records(t.Context(), "noarch", "a")
	require.NoError(t, err)
	require.Equal(t, 2, asked)
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
