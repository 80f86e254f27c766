// Package faultstest makes the requests of a client fail, as package faults does for a server.
package faultstest

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/faults"
)

// Transport returns a round-tripper whose requests fail as the dice decide.
func Transport(d *faults.Dice, next http.RoundTripper) http.RoundTripper {
	return &transport{
		dice: d,
		next: next,
	}
}

type transport struct {
	dice *faults.Dice
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	way, fails := t.dice.Roll(faults.Key(r), faults.Ways)
	if !fails {
		return t.next.RoundTrip(r)
	}
	switch way {
	case faults.Cut:
		if r.Body == nil || r.ContentLength <= 1 {
			return nil, failure(r, "connection refused")
		}
		half := r.Clone(r.Context())
		half.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), broken{}), r.Body}
		return t.next.RoundTrip(half)
	case faults.Unavailable, faults.Limited:
		closeBody(r)
		return answer(r, map[int]int{faults.Unavailable: http.StatusServiceUnavailable, faults.Limited: http.StatusTooManyRequests}[way]), nil
	case faults.AnswerLost, faults.BadGateway, faults.AnswerCut:
		resp, err := t.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		return spoil(r, resp, way)
	}
	closeBody(r)
	return nil, failure(r, "connection refused")
}

// spoil removes the server's answer, or a part of it.
func spoil(r *http.Request, resp *http.Response, way int) (*http.Response, error) {
	if way == faults.AnswerCut && resp.ContentLength > 1 {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, resp.ContentLength/2), broken{}), resp.Body}
		return resp, nil
	}
	_, _ = io.Copy(io.Discard, resp.Body) // until the server has finished
	resp.Body.Close()
	if way == faults.BadGateway {
		return answer(r, http.StatusBadGateway), nil
	}
	return nil, failure(r, "connection reset by peer")
}

func failure(r *http.Request, what string) error {
	return fmt.Errorf("%s %s: %s (%w)", strings.ToLower(r.Method), r.URL.Path, what, faults.ErrInjected)
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

func answer(r *http.Request, status int) *http.Response {
	text := "injected fault"
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"text/plain"}},
		Body:          io.NopCloser(strings.NewReader(text)),
		ContentLength: int64(len(text)),
		Request:       r,
	}
}

// broken is a connection that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) {
	return 0, fmt.Errorf("connection reset by peer (%w)", faults.ErrInjected)
}
