// Package faults injects failures into external calls, in tests and in rehearsals with faults. The failures are random but reproducible: the same
// seed makes the same calls fail.
//
// Whether a call fails depends on the seed, on the key of the call, and on the number of earlier calls with this key. It does
// not depend on other running calls. So a run is repeatable although its calls are concurrent.
package faults

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
)

// Dice decides which calls fail. Several goroutines may use it.
type Dice struct {
	seed uint64
	rate float64

	mu    sync.Mutex
	calls map[string]uint64

	Rests atomic.Bool // if true, no call fails any more
}

// New returns dice that let a share of all calls fail: a third for a `rate` of 0.33.
func New(seed uint64, rate float64) *Dice {
	return &Dice{seed: seed, rate: rate, calls: map[string]uint64{}}
}

// Roll reports whether the current call of `key` fails, and returns the way in which it fails.
func (d *Dice) Roll(key string, ways int) (way int, fails bool) {
	d.mu.Lock()
	n := d.calls[key]
	d.calls[key]++
	d.mu.Unlock()
	h := fnv.New64a()
	_, _ = io.WriteString(h, key) // a hash never fails
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, n))
	r := rand.New(rand.NewPCG(d.seed, h.Sum64()))
	way, fails = r.IntN(max(ways, 1)), r.Float64() < d.rate
	return way, fails && !d.Rests.Load()
}

// ErrInjected is wrapped by every injected error.
var ErrInjected = errors.New("injected fault")

// The ways in which a request fails.
const (
	Refused     = iota // the connection cannot be made: nothing arrives
	Cut                // the connection breaks off in the middle of the request
	AnswerLost         // the connection breaks off after the whole request: it was served
	Unavailable        // HTTP 503 in front of the server: nothing arrives
	Limited            // HTTP 429 in front of the server: nothing arrives
	BadGateway         // HTTP 502 instead of the server's answer: the request was served
	AnswerCut          // the answer breaks off in the middle
	Ways               // number of ways
)

// Key returns the name of a request for Roll. The names of two uploads differ, because the boundary in the content type contains the file's digest.
func Key(r *http.Request) string {
	return r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type")
}

// Handler lets requests to a server fail as the dice decide. Clients see the failures that are listed above.
func (d *Dice) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way, fails := d.Roll(Key(r), Ways)
		if !fails {
			next.ServeHTTP(w, r)
			return
		}
		switch way {
		case Unavailable, Limited, BadGateway:
			if way == BadGateway {
				next.ServeHTTP(discard{header: http.Header{}}, r)
			}
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(map[int]int{Unavailable: http.StatusServiceUnavailable, Limited: http.StatusTooManyRequests, BadGateway: http.StatusBadGateway}[way])
			_, _ = io.WriteString(w, "injected fault")
			return
		case Cut:
			_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 0))
		case AnswerLost:
			next.ServeHTTP(discard{header: http.Header{}}, r)
		case AnswerCut:
			next.ServeHTTP(&half{ResponseWriter: w}, r)
		}
		panic(http.ErrAbortHandler) // the connection breaks off
	})
}

// discard drops an answer.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// half passes on only half of the first part of an answer.
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
