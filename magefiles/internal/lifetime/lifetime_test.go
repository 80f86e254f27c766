package lifetime

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Runs one in another all end by one Ctrl-C, and say so. A run that begins afterwards has its own.
func TestACtrlCEndsEachRun(t *testing.T) {
	for range 2 {
		var told atomic.Int32
		tells := func() { told.Add(1) }
		outer, end := Begin(t.Context(), tells)
		inner, endInner := Begin(outer, tells)
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
		require.ErrorIs(t, causeOf(t, inner), ErrInterrupt)
		require.ErrorIs(t, causeOf(t, outer), ErrInterrupt)
		require.EqualValues(t, 2, told.Load())
		endInner()
		end()
	}
	require.Empty(t, interrupts.lives)
}

// Another signal is no Ctrl-C, and what ends Mage's context ends the run.
func TestWhatElseEndsARun(t *testing.T) {
	silent := func() { t.Error("that was no Ctrl-C") }
	ctx, end := Begin(t.Context(), silent)
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGTERM))
	cause := causeOf(t, ctx)
	require.EqualError(t, cause, "stopped by a signal (terminated)")
	require.NotErrorIs(t, cause, ErrInterrupt)
	end()

	timedOut := errors.New("-t is over")
	mages, stop := context.WithCancelCause(t.Context())
	ctx, end = Begin(mages, silent)
	stop(timedOut)
	require.ErrorIs(t, causeOf(t, ctx), timedOut)
	end()
	require.ErrorIs(t, context.Cause(ctx), timedOut)
}

// causeOf waits until ctx has ended, and says why it has.
func causeOf(t *testing.T, ctx context.Context) error {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "the run goes on")
	}
	return context.Cause(ctx)
}
