package httpclient_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// What was met is said, and not only that there was no time left: also where the time ends in the middle of an attempt.
func TestTheTimeEndsInAnAttempt(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	ctx, cancel := context.WithCancel(t.Context())
	r := httpclient.Retry{Wait: func(context.Context, int, time.Duration) error { return nil }}
	attempts := 0
	err := r.Do(ctx, func(attempt int) error {
		attempts = attempt
		if attempt == 1 {
			return refused
		}
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, refused)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, attempts)
}
