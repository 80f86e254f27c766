// Package faults makes calls of the outside fail at random, and always the same ones for a seed: in tests, and in a
// rehearsal that is to show that a release survives them.
//
// Whether a call fails depends on the seed, on what is called, and on how often that was called before; not on what else
// is under way. So a run is repeatable although its calls run side by side.
package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// Dice decide what fails. They may be thrown from several goroutines.
type Dice struct {
	seed uint64
	rate float64

	mu    sync.Mutex
	calls map[string]uint64
	rests bool
}

// New returns dice by which a share of all calls fails: rate 0.33 is a third.
func New(seed uint64, rate float64) *Dice {
	return &Dice{seed: seed, rate: rate, calls: map[string]uint64{}}
}

// Roll reports whether this call of key fails, and, where it does, in which of so many ways.
func (d *Dice) Roll(key string, ways int) (way int, fails bool) {
	d.mu.Lock()
	n, rests := d.calls[key], d.rests
	d.calls[key]++
	d.mu.Unlock()
	h := fnv.New64a()
	_, _ = io.WriteString(h, key) // a hash never fails
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, n))
	r := rand.New(rand.NewPCG(d.seed, h.Sum64()))
	way, fails = r.IntN(max(ways, 1)), r.Float64() < d.rate
	return way, fails && !rests
}

// Rest lets nothing fail any more.
func (d *Dice) Rest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rests = true
}

// ErrInjected is in the chain of every error that was made here.
var ErrInjected = errors.New("injected fault")

// The ways in which a request fails.
const (
	refused     = iota // the connection cannot be made: nothing arrives
	cut                // it breaks off in the middle of what is sent
	answerLost         // it breaks off when all was sent: the request was served
	unavailable        // HTTP 503 in front of the server: nothing arrives
	limited            // HTTP 429 in front of the server: nothing arrives
	badGateway         // HTTP 502 in place of the server's answer: the request was served
	answerCut          // the answer breaks off in the middle
	ways
)

// Transport is a round-tripper whose requests fail as the dice fall.
func (d *Dice) Transport(next http.RoundTripper) http.RoundTripper {
	return &transport{dice: d, next: next}
}

type transport struct {
	dice *Dice
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	way, fails := t.dice.Roll(key(r), ways)
	if !fails {
		return t.next.RoundTrip(r)
	}
	switch way {
	case cut:
		if r.Body == nil || r.ContentLength <= 1 {
			return nil, failure(r, "connection refused")
		}
		half := r.Clone(r.Context())
		half.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), broken{}), r.Body}
		return t.next.RoundTrip(half)
	case unavailable, limited:
		closeBody(r)
		return answer(r, map[int]int{unavailable: http.StatusServiceUnavailable, limited: http.StatusTooManyRequests}[way]), nil
	case answerLost, badGateway, answerCut:
		resp, err := t.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		return spoil(r, resp, way)
	}
	closeBody(r)
	return nil, failure(r, "connection refused")
}

// spoil takes the server's answer away, or a part of it.
func spoil(r *http.Request, resp *http.Response, way int) (*http.Response, error) {
	if way == answerCut && resp.ContentLength > 1 {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, resp.ContentLength/2), broken{}), resp.Body}
		return resp, nil
	}
	_, _ = io.Copy(io.Discard, resp.Body) // the server's side of it is done
	resp.Body.Close()
	if way == badGateway {
		return answer(r, http.StatusBadGateway), nil
	}
	return nil, failure(r, "connection reset by peer")
}

// key is what is called. An upload is told from others by its type, whose boundary is made of the file's digest.
func key(r *http.Request) string {
	return r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type")
}

func failure(r *http.Request, what string) error {
	return fmt.Errorf("%s %s: %s (%w)", strings.ToLower(r.Method), r.URL.Path, what, ErrInjected)
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
	return 0, fmt.Errorf("connection reset by peer (%w)", ErrInjected)
}

// Handler is a server whose requests fail as the dice fall, in the same ways, as their clients see it.
func (d *Dice) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way, fails := d.Roll(key(r), ways)
		if !fails {
			next.ServeHTTP(w, r)
			return
		}
		switch way {
		case unavailable, limited, badGateway:
			if way == badGateway {
				next.ServeHTTP(discard{header: http.Header{}}, r)
			}
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(map[int]int{unavailable: http.StatusServiceUnavailable, limited: http.StatusTooManyRequests, badGateway: http.StatusBadGateway}[way])
			_, _ = io.WriteString(w, "injected fault")
			return
		case cut:
			_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 0))
		case answerLost:
			next.ServeHTTP(discard{header: http.Header{}}, r)
		case answerCut:
			next.ServeHTTP(&half{ResponseWriter: w}, r)
		}
		panic(http.ErrAbortHandler) // the connection breaks off
	})
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// half passes on half of the first part of an answer.
type half struct {
	http.ResponseWriter
	wrote bool
}

func (h *half) Write(p []byte) (int, error) {
	if !h.wrote {
		h.wrote = true
		if _, err := h.ResponseWriter.Write(p[:len(p)/2]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
