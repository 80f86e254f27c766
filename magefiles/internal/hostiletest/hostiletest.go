// Package hostiletest holds what reads the answers of strangers to what it may cost, and to how it says that something is
// wrong.
package hostiletest

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Patience is how long anything may take, on a machine that is busy.
const Patience = time.Minute

// Cost runs f, and holds that the heap never grows by more than so many bytes, and that it ends.
func Cost(t testing.TB, most uint64, f func()) {
	t.Helper()
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
	look() // at what was over before anybody looked
	t.Logf("%.1f MiB at most, %v", float64(peak.Load())/(1<<20), took.Round(time.Millisecond))
	require.Less(t, peak.Load(), most, "bytes of the heap")
	require.Less(t, took, Patience)
}

// Sentence holds that an error is one sentence, has nothing in it that a terminal obeys, and says what to do next.
func Sentence(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotRegexp(t, `[\x00-\x1f\x7f\x{80}-\x{9f}]`, err.Error())
	require.Less(t, len(err.Error()), 1500)
	require.NotEmpty(t, operr.NextOf(err), err.Error())
}
