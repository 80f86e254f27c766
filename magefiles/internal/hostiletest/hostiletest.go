// Package hostiletest helps to test code that reads untrusted responses: its memory use, and its error messages.
package hostiletest

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Patience is a generous time limit, for busy machines.
const Patience = time.Minute

// Cost runs f, and requires that f ends, and that the heap never grows by more than most bytes. The garbage collector works as it does by default,
// whatever GOGC says.
func Cost(t testing.TB, most uint64, f func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	look := func() {
		runtime.ReadMemStats(&now)
		peak.Store(max(peak.Load(), now.HeapInuse-min(now.HeapInuse, before.HeapInuse)))
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			look()
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	began := time.Now()
	f()
	took := time.Since(began)
	close(done)
	<-ended
	look() // f may have ended between two measurements
	t.Logf("%.1f MiB at most, %v", float64(peak.Load())/(1<<20), took.Round(time.Millisecond))
	require.Less(t, peak.Load(), most, "bytes of the heap")
	require.Less(t, took, Patience)
}

// Sentence requires that an error is one sentence without control characters, and has a next step.
func Sentence(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotRegexp(t, `[\x00-\x1f\x7f\x{80}-\x{9f}]`, err.Error())
	require.Less(t, len(err.Error()), 1500)
	require.NotEmpty(t, operr.NextOf(err), err.Error())
}
