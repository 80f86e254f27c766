package httpclient

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// ErrStalled ends a request if no data was sent or received on its connection for too long.
var ErrStalled = errors.New("no data arrived for too long")

// ErrTrickle ends a request whose bytes arrive too slowly. It is an ErrStalled.
var ErrTrickle error = trickle("data arrived at less than a kilobyte a second")

// errSlow ends a response that has taken long, and whose average speed is low. It is an ErrTrickle.
var errSlow error = trickle("the answer took too long, because data arrived at less than 32 kilobytes a second")

type trickle string

func (t trickle) Error() string   { return string(t) }
func (trickle) Is(err error) bool { return err == ErrStalled || err == ErrTrickle }

// slowest is the minimum speed, in bytes per second, measured over the time that a connection may be idle. A slower network is useless, and a slower
// server stalls on purpose.
const slowest = 1 << 10

// A response takes long after `long` times the time that its connection may be idle: after an hour if that time is two minutes. From then on, its
// average speed must be at least slowestInAll bytes a second. Because the size of each response is limited, every response ends.
const (
	slowestInAll = 32 << 10
	long         = 30
)

// Watch ends a request if no data, or almost no data, was sent or received for a while. Sending may take as long as the network needs. A response
// that takes long must arrive faster than [slowest].
type Watch struct {
	ctx    context.Context
	timer  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
	moved  atomic.Int64 // bytes since the timer was started
	last   atomic.Int64 // time of the last progress, in Unix nanoseconds
	got    atomic.Int64 // bytes of the response
	began  atomic.Int64 // start of the response, in Unix nanoseconds
}

// NewWatch returns a Watch and the context for the request. The caller must call Stop.
func NewWatch(ctx context.Context, after time.Duration) (context.Context, *Watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &Watch{ctx: ctx, after: after, cancel: cancel}
	w.timer = time.AfterFunc(after, func() {
		if w.moved.Load() > 0 && time.Now().UnixNano()-w.last.Load() < int64(after/2) {
			cancel(ErrTrickle)
			return
		}
		cancel(ErrStalled)
	})
	return ctx, w
}

// Restart restarts the timer, because data was sent or received.
func (w *Watch) Restart() {
	w.moved.Store(0)
	w.timer.Reset(w.after)
}

// count restarts the timer after enough bytes.
func (w *Watch) count(bytes int) {
	if bytes > 0 {
		w.last.Store(time.Now().UnixNano())
	}
	if w.moved.Add(int64(bytes)) >= int64(w.after.Seconds()*slowest) {
		w.Restart()
	}
}

// countBytes counts a part of a response, and ends a response that has taken long and is too slow.
func (w *Watch) countBytes(bytes int) {
	took := time.Duration(time.Now().UnixNano() - w.began.Load())
	if got := w.got.Add(int64(bytes)); took > long*w.after && float64(got) < took.Seconds()*slowestInAll {
		w.cancel(errSlow)
	}
	w.count(bytes)
}

// Stop ends the watch and aborts the request. Unread data is lost.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Explain returns the watch's error if the watch aborted the request, and Plain of the error otherwise.
func (w *Watch) Explain(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, ErrStalled) {
		return cause
	}
	return Plain(err)
}

// Body wraps a response body so that reads are watched. Closing it ends the watch. The arrival of the response counts as progress.
func (w *Watch) Body(body io.ReadCloser) io.ReadCloser {
	w.began.Store(time.Now().UnixNano())
	w.Restart()
	return &watched{body: body, w: w}
}

type watched struct {
	body io.ReadCloser
	w    *Watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.w.countBytes(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.w.Explain(err)
	}
	return n, err
}

func (b *watched) Close() error {
	b.w.Stop()
	return b.body.Close()
}

// Sending returns a reader of a file for a request under the watch. It calls `sent` after every piece with the number of bytes so far. `sent` may be
// nil.
func (w *Watch) Sending(file io.Reader, sent func(int64)) io.Reader {
	return &sending{file: file, w: w, n: 0, sent: sent}
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
	s.w.count(n)
	if s.sent != nil {
		s.sent(s.n)
	}
	return n, err
}
