package prefixdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// open opens a URL for reading, past caches, and tries again where that can help.
func (c *Client) open(ctx context.Context, url string, token Token) (f *channel.File, err error) {
	err = c.retry.Do(ctx, func(int) (err error) {
		f, err = c.get(ctx, url, token)
		return c.unread(url, err)
	})
	return f, err
}

// read gives use the contents of a URL, past caches. Where the connection breaks off, or use cannot read what came, both
// are done again.
func (c *Client) read(ctx context.Context, url string, token Token, use func(io.Reader) error) error {
	return c.retry.Do(ctx, func(int) error {
		f, err := c.get(ctx, url, token)
		if err != nil {
			return c.unread(url, err)
		}
		defer f.Close()
		return c.unread(url, use(f))
	})
}

// unread says what was read, and what to do about it.
func (c *Client) unread(url string, err error) error {
	var unreachable *httpclient.UnreachableError
	if err == nil || errors.As(err, &unreachable) { // which is the same for every address
		return err
	}
	return operr.New(c.nextOfReading(err), "reading %s: %w", url, err)
}

// nextOfLies is what to do about an index that cannot be true.
const nextOfLies = "see what the channel has there, and who may write to it; a proxy may have answered in its place"

// nextOfReading says what to do about what no server should answer; "" where others know better.
func (c *Client) nextOfReading(err error) string {
	switch {
	case errors.Is(err, repodata.ErrLimit):
		return fmt.Sprintf("see what the channel has there, and remove what nobody needs: the index of a channel that is published to may have %d MiB, "+
			"and one of others %d", repodata.Own.Size>>20, repodata.Elsewhere.Size>>20)
	case errors.Is(err, repodata.ErrLies), errors.Is(err, channel.ErrTooLarge), errors.Is(err, channel.ErrInvalid):
		return nextOfLies
	case errors.Is(err, httpclient.ErrRedirect):
		return "correct the server's address, or its redirects: see where " + c.Server() + " leads"
	case errors.Is(err, httpclient.ErrStalled):
		return "see whether " + c.Server() + ", or a proxy before it, is well, and run it again"
	}
	var status *StatusError
	if errors.As(err, &status) || errors.Is(err, context.Canceled) {
		return ""
	}
	return "see what " + c.Server() + " answers there, and run it again"
}

// get makes one attempt.
func (c *Client) get(ctx context.Context, url string, token Token) (*channel.File, error) {
	ctx, w := httpclient.NewWatch(ctx, c.waiting)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		w.Stop()
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	r.Header.Set("Cache-Control", "no-cache")
	r.Header.Set("Pragma", "no-cache")
	resp, err := c.reader.Do(r)
	if err != nil {
		w.Stop()
		return nil, w.Lost(err)
	}
	body := w.Body(resp.Body)
	if resp.StatusCode == http.StatusOK {
		return &channel.File{
			ReadCloser: body,
			Size:       resp.ContentLength,
			ETag:       resp.Header.Get("ETag"),
			Immutable:  strings.Contains(url, "/"+repodata.ShardDir),
		}, nil
	}
	defer body.Close()
	text, _ := io.ReadAll(io.LimitReader(body, 4<<10))
	if err := statusError(resp, text, token); err != nil {
		return nil, err
	}
	return nil, &StatusError{Status: resp.StatusCode, Message: "no contents were sent"}
}
