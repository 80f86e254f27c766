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

// StatusError is an answer that is no success. It wraps the error of package channel that the status stands for.
type StatusError struct {
	Status  int
	Message string        // what the server says, in a line of 512 characters at most, or ""
	Page    bool          // it was a page of HTML that refuses, of which Message is the title
	After   time.Duration // what it asks to wait, or 0
}

// Cure is what to do about a page that refuses: it is of something before the channel.
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

// Again implements httpclient.Answer: after every status that the protocol does not call final (prefix-protocol.md §1.2).
func (e *StatusError) Again() (bool, time.Duration) {
	return errors.Is(e, channel.ErrUnavailable), e.After
}

// write sends a request with a token, or without one. The error is of the transport, or a *StatusError.
func (c *Client) write(r *http.Request, token Token, w *httpclient.Watch) error {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	r.Header.Set("Accept", "*/*")
	resp, err := c.writer.Do(r)
	if err != nil {
		return w.Lost(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what there is of it explains the status
	return statusError(resp, text, token)
}

// statusError is what an answer says that is not a success. The credentials that were sent are taken out, should the server send
// them back.
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
	text = httpclient.Said(text)
	if status >= 300 && status < 400 {
		text = "the server redirects, which an upload must not follow"
	}
	return &StatusError{Status: status, Message: text, Page: page, After: httpclient.RetryAfter(resp)}
}

// lasting reports which errors the protocol calls final, beside those of its statuses (prefix-protocol.md §1.2): what came, or is to be sent,
// is not what it should be.
func lasting(err error) bool {
	for _, final := range []error{channel.ErrInvalid, channel.ErrTooLarge, repodata.ErrLimit, repodata.ErrLies} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}
