// Package pause waits: [For] waits for a given time, and [Wait] polls until a condition is met or a time is over. No other package may wait in a
// loop. HTTP clients retry with httpclient.Retry.
package pause

import (
	"context"
	"time"
)

// For waits for the given time. It returns the context's cause if the context ends first.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
