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

// One Ctrl-C ends nested runs, with that cause. A run that begins afterwards has its own Ctrl-C.
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

// Another signal is not a Ctrl-C, and the end of Mage's context ends the run.
func TestOtherSignals(t *testing.T) {
	silent := func() { t.Error("interrupted was called without a Ctrl-C") }
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

// causeOf waits until ctx has ended, and returns its cause.
func causeOf(t *testing.T, ctx context.Context) error {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "the context was not canceled")
	}
	return context.Cause(ctx)
}
