package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Why a run ended before it was done.
var (
	errSignal = errors.New("stopped by a signal")
	errOrphan = errors.New("stopped because the process that started us is gone")
)

// lifetime is ctx until Ctrl-C, SIGTERM or SIGHUP, or until our parent dies: a SIGTERM to `go tool mage` ends its two
// wrapping processes and would leave this one behind. Mage's own context ends with Ctrl-C too, and does not say why.
func lifetime(mages context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(mages))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	parent := os.Getppid()
	tick := time.NewTicker(200 * time.Millisecond)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				cancel(fmt.Errorf("%w (%v)", errSignal, s))
			case <-mages.Done():
				select {
				case s := <-signals:
					cancel(fmt.Errorf("%w (%v)", errSignal, s))
				case <-time.After(20 * time.Millisecond):
					cancel(context.Cause(mages))
				}
			case <-tick.C:
				if os.Getppid() != parent {
					cancel(errOrphan)
				}
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		tick.Stop()
		cancel(nil)
	}
}
