package prefixdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// StatusError is an answer that is no success. It wraps the error of package channel that the status stands for.
type StatusError struct {
	Status  int
	Message string // the first 512 characters of the answer, or ""
}

func (e *StatusError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
}

func (e *StatusError) Unwrap() error { return channel.OfStatus(e.Status) }

// answer is what a server said to a request that changes something.
type answer struct {
	err   error         // nil for success, or a *StatusError
	after time.Duration // what it asked to wait, or 0
}

// write sends a request with the token. The error is of the transport; what the server said is in the answer.
func (c *Client) write(r *http.Request) (answer, error) {
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+string(c.token))
	}
	r.Header.Set("Accept", "*/*")
	resp, err := c.writer.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what there is of it explains the status
	return answer{statusError(resp.StatusCode, text), retryAfter(resp)}, nil
}

func statusError(status int, body []byte) error {
	if status >= 200 && status < 300 {
		return nil
	}
	text := []rune(strings.TrimSpace(strings.ToValidUTF8(string(body), "�")))
	if len(text) > 512 {
		text = append(text[:512], '…')
	}
	if status >= 300 && status < 400 {
		text = []rune("the server redirects, which an upload must not follow")
	}
	return &StatusError{status, string(text)}
}

// retryAfter reads the header's form in seconds; the other, a date, is not worth the trouble.
func retryAfter(r *http.Response) time.Duration {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}

// get opens a URL for reading, past caches, and tries again where that can help.
func (c *Client) get(ctx context.Context, url string) (f *channel.File, err error) {
	var after time.Duration
	for attempt := 1; attempt <= c.attempts; attempt++ {
		if attempt > 1 {
			if werr := c.wait(ctx, attempt, after); werr != nil {
				return nil, werr
			}
		}
		if f, after, err = c.getOnce(ctx, url); err == nil || !transient(ctx, err) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", url, err)
	}
	return f, nil
}

func (c *Client) getOnce(ctx context.Context, url string) (*channel.File, time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Cache-Control", "no-cache")
	r.Header.Set("Pragma", "no-cache")
	resp, err := c.reader.Do(r)
	if err != nil {
		return nil, 0, err
	}
	if resp.StatusCode == http.StatusOK {
		return &channel.File{
			ReadCloser: resp.Body, Size: resp.ContentLength, ETag: resp.Header.Get("ETag"),
			Immutable: strings.Contains(url, "/"+repodata.ShardDir),
		}, 0, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err := statusError(resp.StatusCode, text); err != nil {
		return nil, retryAfter(resp), err
	}
	return nil, 0, &StatusError{resp.StatusCode, "no contents were sent"}
}

// transient says whether trying again can help: after an error of the transport, and for the statuses that the protocol
// does not call final (prefix-protocol §1.2).
func transient(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var status *StatusError
	return !errors.As(err, &status) || errors.Is(err, channel.ErrUnavailable)
}
