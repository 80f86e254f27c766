// Package pause waits, no longer than anyone wants what is waited for: [For] for a while, and [Wait] until something is there. No other package
// has a loop that waits; clients of HTTP try again by httpclient.Retry.
package pause

import (
	"context"
	"time"
)

// For waits for a while. It returns the context's cause when that ends first.
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
