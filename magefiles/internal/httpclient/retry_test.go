package httpclient_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// The error has the last failure, not only the timeout, even if the timeout occurs during an attempt.
func TestTimeoutDuringAnAttempt(t *testing.T) {
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
