package hostiletest_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hostiletest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// watched is a test that records its failure.
type watched struct {
	testing.TB
	failed bool
}

func (w *watched) Errorf(string, ...any) { w.failed = true }
func (w *watched) Logf(string, ...any)   {}
func (w *watched) Helper()               {}
func (w *watched) FailNow()              { runtime.Goexit() }

var held []byte // memory that stays in use

func fails(t *testing.T, f func(t testing.TB)) bool {
	w, done := &watched{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(w)
	}()
	<-done
	return w.failed
}

// The checks of hostile tests fail when they must, even if f ends at once.
func TestChecksFail(t *testing.T) {
	for size, over := range map[int]bool{1 << 10: false, 20 << 20: true} {
		require.Equal(t, over, fails(t, func(t testing.TB) {
			hostiletest.Cost(t, 16<<20, func() { held = make([]byte, size) })
		}), "%d bytes", size)
		held = nil
	}
	for _, c := range []struct {
		err  error
		over bool
	}{
		{nil, true}, {errors.New("no next step"), true}, {operr.New("do that", "a sentence"), false}, {operr.New("do that", "two\nlines"), true}, {operr.New("do that", "\x1b[2J"), true},
	} {
		require.Equal(t, c.over, fails(t, func(t testing.TB) { hostiletest.Sentence(t, c.err) }), "%v", c.err)
	}
}
