package httpclient

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrStalled is why a request ends whose connection is there, but on which nothing moves any more.
var ErrStalled = errors.New("nothing moved for too long")

// Watch ends a request when nothing has moved for a while. How long a transfer takes in all is the network's affair.
type Watch struct {
	ctx    context.Context
	timer  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
}

// NewWatch returns the context that the request has to be made with. The caller calls Moved and, at the end, Stop.
func NewWatch(ctx context.Context, after time.Duration) (context.Context, *Watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &Watch{ctx, time.AfterFunc(after, func() { cancel(ErrStalled) }), after, cancel}
}

// Moved begins the wait anew.
func (w *Watch) Moved() { w.timer.Reset(w.after) }

// Stop ends the watch, and the request: what is not read by now is not wanted.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Lost gives the error of a request that the watch has ended its reason, and is Plain of any other.
func (w *Watch) Lost(err error) error {
	if errors.Is(context.Cause(w.ctx), ErrStalled) {
		return ErrStalled
	}
	return Plain(err)
}

// Body is the body of an answer, read under the watch, which ends when the body is closed.
func (w *Watch) Body(body io.ReadCloser) io.ReadCloser { return &watched{body, w} }

type watched struct {
	body io.ReadCloser
	w    *Watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.w.Moved()
	if err != nil && err != io.EOF {
		err = b.w.Lost(err)
	}
	return n, err
}

func (b *watched) Close() error {
	b.w.Stop()
	return b.body.Close()
}

// Sending returns what reads a file into a request under the watch, and tells after every piece how many bytes are out.
// sent may be nil.
func (w *Watch) Sending(file io.Reader, sent func(int64)) io.Reader {
	return &sending{file, w, 0, sent}
}

type sending struct {
	file io.Reader
	w    *Watch
	n    int64
	sent func(int64)
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	s.n += int64(n)
	s.w.Moved()
	if s.sent != nil {
		s.sent(s.n)
	}
	return n, err
}
