package httpclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/foopack/foopack/magefiles/internal/pause"
)

// DefaultAttempts is the default number of attempts for a request. It is the same as in rattler's clients.
const DefaultAttempts = 4

// Retry retries a request after network errors (a failed name lookup, or a connection that is refused, broken or stalled), and after responses that
// allow it (see Answer). It is for idempotent requests. A request that creates or sends something must have a Settle.
type Retry struct {
	Attempts int // total number of attempts; 0 means DefaultAttempts

	// Wait is called before each retry, with the delay that the server requested (Retry-After), or 0. It returns the context's error if the context
	// ends first. It defaults to BackOff.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error

	// Final reports whether an error is permanent, in addition to the errors of [Final]. It may be nil.
	Final func(error) bool

	// Settle checks whether a request was processed although its response was lost. It is called after the pause before each retry, and after the
	// last attempt. If the request was processed, or Settle returns an error, Do returns. If Settle is nil, the request is retried without a check.
	Settle func(ctx context.Context, failed error) (done bool, err error)
}

// Answer is the error for a server's response. Its method reports whether a retry can help, and the delay that the server requested, or 0.
type Answer interface {
	error
	Again() (can bool, after time.Duration)
}

// Passing reports whether an HTTP status may be temporary: a timeout, too many requests, or a server error.
func Passing(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}

// MarkFinal marks an error that a retry will not fix.
func MarkFinal(err error) error {
	if err == nil {
		return nil
	}
	return notAgain{error: err}
}

type notAgain struct{ error }

func (e notAgain) Unwrap() error { return e.error }

func (notAgain) Again() (bool, time.Duration) { return false, 0 }

// Do calls try with the attempt number until it succeeds, fails permanently, or has used all attempts.
//
// A trickling response is not retried, because the retry would be as slow. A request with a Settle is retried, because the next connection may be
// faster. If the context ends during an attempt, Do returns the error of the previous attempt.
func (r Retry) Do(ctx context.Context, try func(attempt int) error) error {
	var before error
	for attempt := 1; ; attempt++ {
		err := try(attempt)
		if err != nil && before != nil && ctx.Err() != nil {
			return fmt.Errorf("%w (%w)", before, err)
		}
		if before = err; err == nil || !r.Transient(ctx, err) || r.Settle == nil && errors.Is(err, ErrTrickle) {
			return err
		}
		last := attempt >= r.Most()
		if !last {
			if werr := r.Pause(ctx, attempt+1, err); werr != nil {
				return fmt.Errorf("%w (%w)", err, werr)
			}
		}
		if r.Settle != nil {
			if done, serr := r.Settle(ctx, err); done || serr != nil {
				return serr
			}
		}
		if last {
			return err
		}
	}
}

// Most returns the maximum number of attempts.
func (r Retry) Most() int { return cmp.Or(r.Attempts, DefaultAttempts) }

// Pause waits before an attempt, for the delay that the previous response requested.
func (r Retry) Pause(ctx context.Context, attempt int, failed error) error {
	wait := r.Wait
	if wait == nil {
		wait = BackOff
	}
	var after time.Duration
	var said Answer
	if errors.As(failed, &said) {
		_, after = said.Again()
	}
	return wait(ctx, attempt, after)
}

// Transient reports whether a retry can help after an error.
func (r Retry) Transient(ctx context.Context, err error) bool {
	if ctx.Err() != nil || Final(err) || r.Final != nil && r.Final(err) {
		return false
	}
	var said Answer
	if errors.As(err, &said) {
		can, _ := said.Again()
		return can
	}
	return true
}

// BackOff waits before attempt 2 and later ones: exponentially, up to 1, 2, 4 … seconds with full jitter, or longer if
// the server asks for more, up to a minute. It returns the context's error if that ends first.
func BackOff(ctx context.Context, attempt int, asked time.Duration) error {
	return pause.For(ctx, max(rand.N(time.Second<<(attempt-2)), min(asked, time.Minute)))
}
