// Package faults makes calls of the outside fail at random, and always the same ones for a seed: in tests, and in a
// rehearsal that is to show that a release survives them.
//
// Whether a call fails depends on the seed, on what is called, and on how often that was called before; not on what else
// is under way. So a run is repeatable although its calls run side by side.
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

// Dice decide what fails. They may be thrown from several goroutines.
type Dice struct {
	seed uint64
	rate float64

	mu    sync.Mutex
	calls map[string]uint64

	Rests atomic.Bool // nothing fails any more
}

// New returns dice by which a share of all calls fails: rate 0.33 is a third.
func New(seed uint64, rate float64) *Dice {
	return &Dice{seed: seed, rate: rate, calls: map[string]uint64{}}
}

// Roll reports whether this call of key fails, and, where it does, in which of so many ways.
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

// ErrInjected is in the chain of every error that was made here.
var ErrInjected = errors.New("injected fault")

// The ways in which a request fails.
const (
	Refused     = iota // the connection cannot be made: nothing arrives
	Cut                // it breaks off in the middle of what is sent
	AnswerLost         // it breaks off when all was sent: the request was served
	Unavailable        // HTTP 503 in front of the server: nothing arrives
	Limited            // HTTP 429 in front of the server: nothing arrives
	BadGateway         // HTTP 502 in place of the server's answer: the request was served
	AnswerCut          // the answer breaks off in the middle
	Ways               // how many there are
)

// Key is what is called. An upload is told from others by its type, whose boundary is made of the file's digest.
func Key(r *http.Request) string {
	return r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type")
}

// Handler is a server whose requests fail as the dice fall, in the same ways, as their clients see it.
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
