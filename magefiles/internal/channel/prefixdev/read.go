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

// `open` opens a URL for reading. It bypasses caches, and retries if that may help.
func (c *Client) open(ctx context.Context, url string, token Token) (f *channel.File, err error) {
	err = c.retry.Do(ctx, func(int) (err error) {
		f, err = c.get(ctx, url, token)
		return c.unread(url, err)
	})
	return f, err
}

// read calls `use` with the contents of a URL. It bypasses caches. If the connection fails or `use` returns an error, read sends the request and
// calls `use` again.
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

// unread adds the URL and the next step to an error.
func (c *Client) unread(url string, err error) error {
	var unreachable *httpclient.UnreachableError
	if err == nil || errors.As(err, &unreachable) { // this error concerns the whole server, not the URL
		return err
	}
	return operr.New(c.nextOfReading(err), "reading %s: %w", url, err)
}

// nextOfLies is the next step for an invalid index.
const nextOfLies = "check the index on the channel, and who may write to the channel; a proxy may have sent this answer instead of the channel"

// nextOfReading returns the next step for an unexpected response, or "" if the error already has one.
func (c *Client) nextOfReading(err error) string {
	switch {
	case errors.Is(err, repodata.ErrLimit):
		return fmt.Sprintf("remove the packages that nobody needs from the channel: the limit of an index is %d MiB for the channel that you publish to, "+
			"and %d MiB for other channels", repodata.Own.Size>>20, repodata.Elsewhere.Size>>20)
	case errors.Is(err, repodata.ErrLies), errors.Is(err, channel.ErrTooLarge), errors.Is(err, channel.ErrInvalid):
		return nextOfLies
	case errors.Is(err, httpclient.ErrRedirect):
		return "correct the server's address or its redirects: `curl -IL " + c.Server() + "` shows the redirects"
	case errors.Is(err, httpclient.ErrStalled):
		return "check " + c.Server() + " and any proxy in front of the server, then run the same command again"
	}
	var status *StatusError
	if errors.As(err, &status) || errors.Is(err, context.Canceled) {
		return ""
	}
	return "check what " + c.Server() + " answers at this address, then run the same command again"
}

// get sends one request.
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
		return nil, w.Explain(err)
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
