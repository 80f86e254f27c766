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
		return answer{}, lost(r.Context(), err)
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

// retryAfter reads both forms of the header: seconds, and a date, which is measured by the server's own clock.
func retryAfter(r *http.Response) time.Duration {
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, min(seconds, 3600))) * time.Second
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, min(then.Sub(now), time.Hour))
}

// errStalled is why a request ends whose connection is there, but on which nothing moves any more.
var errStalled = errors.New("nothing moved for too long")

// watch ends a request when nothing has moved for a while. How long a transfer takes in all is the network's affair.
type watch struct {
	timer  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
}

func newWatch(ctx context.Context, after time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &watch{time.AfterFunc(after, func() { cancel(errStalled) }), after, cancel}
}

func (w *watch) moved() { w.timer.Reset(w.after) }

// stop ends the request too: what is not read by now is not wanted.
func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// lost gives the error of a request that a watch has ended its reason.
func lost(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// transient says whether trying again can help: after an error of the transport, and for the statuses that the protocol
// does not call final (prefix-protocol §1.2).
func transient(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, channel.ErrInvalid) {
		return false
	}
	var status *StatusError
	return !errors.As(err, &status) || errors.Is(err, channel.ErrUnavailable)
}
