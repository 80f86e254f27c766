package lifetime

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Runs one in another all end by one Ctrl-C, and say so. A run that begins afterwards has its own.
func TestACtrlCEndsEachRun(t *testing.T) {
	for range 2 {
		outer, end := Begin(t.Context())
		inner, endInner := Begin(outer)
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
		require.ErrorIs(t, causeOf(t, inner), ErrInterrupt)
		require.ErrorIs(t, causeOf(t, outer), ErrInterrupt)
		endInner()
		end()
	}
	require.Empty(t, interrupts.lives)
}

// Another signal is no Ctrl-C, and what ends Mage's context ends the run.
func TestWhatElseEndsARun(t *testing.T) {
	ctx, end := Begin(t.Context())
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGTERM))
	cause := causeOf(t, ctx)
	require.EqualError(t, cause, "stopped by a signal (terminated)")
	require.NotErrorIs(t, cause, ErrInterrupt)
	end()

	timedOut := errors.New("-t is over")
	mages, stop := context.WithCancelCause(t.Context())
	ctx, end = Begin(mages)
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
