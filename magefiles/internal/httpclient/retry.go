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

// DefaultAttempts is how often a request is made in all, where asking again can help, unless a Retry says otherwise. It is what rattler's
// clients do.
const DefaultAttempts = 4

// Retry makes a request again where that can help: after errors of the network (a name that is not looked up, a connection that is refused,
// breaks off, or is silent), and after answers that say so of themselves (see Answer). It is for requests that change nothing, or nothing
// that a second one would change; one that makes or sends something has to have a Settle.
type Retry struct {
	Attempts int // in all; 0 is DefaultAttempts

	// Wait is called before attempt 2 and later ones, with what the server asked for (Retry-After), or 0. It returns the context's error when
	// that ends first. Nil is BackOff.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error

	// Final reports which other errors asking again does not change. Nil knows none; those of [Final] are known.
	Final func(error) bool

	// Settle asks whether a request has arrived whose answer was lost. It is called after the pause, before it is made again, and after the
	// last attempt; what it finds, or its error, is the end. Nil makes the request again as it is.
	Settle func(ctx context.Context, failed error) (done bool, err error)
}

// Answer is an error that a server's answer is. It knows whether asking again can help, and how long the server wants to be left alone, or 0.
type Answer interface {
	error
	Again() (can bool, after time.Duration)
}

// Passing reports whether a status is one that may pass: a request that took too long, one too many, and what is the server's own fault.
func Passing(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}

// NotAgain marks an error as one that asking again does not change.
func NotAgain(err error) error {
	if err == nil {
		return nil
	}
	return notAgain{error: err}
}

type notAgain struct{ error }

func (e notAgain) Unwrap() error { return e.error }

func (notAgain) Again() (bool, time.Duration) { return false, 0 }

// Do calls try, with the number of the attempt, until it succeeds, cannot succeed, or was called often enough.
//
// An answer that trickles is not asked for again, since it would keep us for as long again. What is sent is: the next connection may be a
// better one. An attempt for which there was no time left says nothing: what the one before it met is the error.
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

// Most is how often a request is made in all.
func (r Retry) Most() int { return cmp.Or(r.Attempts, DefaultAttempts) }

// Pause waits before an attempt, for as long as the answer to the one before wants.
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

// Transient reports whether making a request again can help after an error.
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

// BackOff waits before attempt 2 and later ones: exponentially, up to 1, 2, 4 … seconds with full jitter; but what the
// server asks for counts, up to a minute. It returns the context's error when that ends first.
func BackOff(ctx context.Context, attempt int, asked time.Duration) error {
	return pause.For(ctx, max(rand.N(time.Second<<(attempt-2)), min(asked, time.Minute)))
}
