package httpclient

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// ErrStalled is why a request ends whose connection is there, but on which nothing moves any more.
var ErrStalled = errors.New("nothing moved for too long")

// ErrTrickle is why a request ends whose bytes come so slowly that it would not end. It is an ErrStalled.
var ErrTrickle error = trickle("less than a kilobyte a second came through")

// errSlow is why an answer ends that has taken long, and comes slowly all the while. It is an ErrTrickle.
var errSlow error = trickle("it has taken too long, and less than 32 kilobytes a second came through")

type trickle string

func (t trickle) Error() string   { return string(t) }
func (trickle) Is(err error) bool { return err == ErrStalled || err == ErrTrickle }

// slowest is what has to move, in bytes a second, over the time for which nothing may move. A line on which less moves
// is of no use; a server that sends less keeps us waiting on purpose.
const slowest = 1 << 10

// What an answer that takes long has to move, in bytes a second from its beginning, and how long that is, in times for which nothing
// may move: an hour where that is two minutes. With the limits of size that every answer has, all of them end.
const (
	slowestInAll = 32 << 10
	long         = 30
)

// Watch ends a request when nothing, or next to nothing, has moved for a while. How long it takes to send something is the network's
// affair; an answer that takes long has to come faster than [slowest].
type Watch struct {
	ctx    context.Context
	timer  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
	moved  atomic.Int64 // bytes since the wait began
	last   atomic.Int64 // when something moved, in nanoseconds since 1970
	got    atomic.Int64 // bytes of the answer
	began  atomic.Int64 // when the answer did, in nanoseconds since 1970
}

// NewWatch returns the context that the request has to be made with. The caller calls Stop at the end.
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

// Moved begins the wait again.
func (w *Watch) Moved() {
	w.moved.Store(0)
	w.timer.Reset(w.after)
}

// count begins the wait again once enough has moved.
func (w *Watch) count(bytes int) {
	if bytes > 0 {
		w.last.Store(time.Now().UnixNano())
	}
	if w.moved.Add(int64(bytes)) >= int64(w.after.Seconds()*slowest) {
		w.Moved()
	}
}

// arrived counts a part of an answer, and ends one that comes slowly for long.
func (w *Watch) arrived(bytes int) {
	took := time.Duration(time.Now().UnixNano() - w.began.Load())
	if got := w.got.Add(int64(bytes)); took > long*w.after && float64(got) < took.Seconds()*slowestInAll {
		w.cancel(errSlow)
	}
	w.count(bytes)
}

// Stop ends the watch, and the request: what is not read by now is not wanted.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Lost gives the error of a request that the watch has ended its reason, and is Plain of any other.
func (w *Watch) Lost(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, ErrStalled) {
		return cause
	}
	return Plain(err)
}

// Body is the body of an answer, read under the watch, which ends when the body is closed. That there is an answer counts
// as moving.
func (w *Watch) Body(body io.ReadCloser) io.ReadCloser {
	w.began.Store(time.Now().UnixNano())
	w.Moved()
	return &watched{body: body, w: w}
}

type watched struct {
	body io.ReadCloser
	w    *Watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.w.arrived(n)
	if err != nil && !errors.Is(err, io.EOF) {
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
