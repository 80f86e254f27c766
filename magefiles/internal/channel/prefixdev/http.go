package prefixdev

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// StatusError reports an unsuccessful response. It wraps the error in package channel for its status.
type StatusError struct {
	Status  int
	Message string        // the server's message, as one line of at most 512 characters; may be ""
	Page    bool          // the response was an HTML page that denies access; Message is its title
	After   time.Duration // from Retry-After, or 0
}

// Cure returns the next step for an HTML page that denies access. Usually a proxy sends this page, and not the channel.
func (e *StatusError) Cure() string {
	if !e.Page {
		return ""
	}
	return httpclient.BlockedNext
}

func (e *StatusError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
}

func (e *StatusError) Unwrap() error { return channel.OfStatus(e.Status) }

// Again implements httpclient.Answer. It returns true unless the protocol considers the status final (prefix-protocol.md §1.2).
func (e *StatusError) Again() (bool, time.Duration) {
	return errors.Is(e, channel.ErrUnavailable), e.After
}

// write sends a request, with a token if it is not "". It returns a *StatusError for an unsuccessful response, or the error of the transport.
func (c *Client) write(r *http.Request, token Token, w *httpclient.Watch) error {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	r.Header.Set("Accept", "*/*")
	resp, err := c.writer.Do(r)
	if err != nil {
		return w.Explain(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // ignore the error: a partial body still explains the status
	return statusError(resp, text, token)
}

// statusError returns the error for an unsuccessful response, or nil. It redacts the credentials that were sent, in case the server echoes them.
func statusError(resp *http.Response, body []byte, sent ...Token) error {
	status := resp.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	text := string(body)
	for _, t := range sent {
		if t != "" {
			text = strings.ReplaceAll(text, string(t), "***")
		}
	}
	page := httpclient.Blocks(status, text)
	text = httpclient.Sanitize(text)
	if status >= 300 && status < 400 {
		text = "the server redirects, which an upload must not follow"
	}
	return &StatusError{Status: status, Message: text, Page: page, After: httpclient.RetryAfter(resp)}
}

// lasting reports whether a retry is pointless because the data that was received, or is to be sent, is invalid. The protocol considers these
// errors final regardless of the status (prefix-protocol.md §1.2).
func lasting(err error) bool {
	for _, final := range []error{channel.ErrInvalid, channel.ErrTooLarge, repodata.ErrLimit, repodata.ErrLies} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}
