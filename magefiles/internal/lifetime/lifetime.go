// Package lifetime says how long a run lives: until Ctrl-C, until another signal that ends programs, or until the process that started it is gone.
// Whoever runs it learns by the context's cause which of them it was.
//
//	lifetime.go    the context of a run
//	interrupts.go  each Ctrl-C is for the runs of this process, and not for Mage
package lifetime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Why a run ended before it was done.
var (
	errSignal    = errors.New("stopped by a signal")
	ErrInterrupt = fmt.Errorf("%w (%v)", errSignal, os.Interrupt) // a Ctrl-C
	errOrphan    = errors.New("stopped because the process that started us is gone")
)

// parent is the process that started us. It is asked for once: a target that begins after its death would else take another one for it.
var parent = os.Getppid()

// Begin is a context until Ctrl-C, SIGTERM or SIGHUP, or until our parent dies: a SIGTERM to `go tool mage` ends its two
// wrapping processes and would leave this one behind. Mage's own context, which is given, ends with Ctrl-C too, and does not say why.
// Whoever has it ends it, once it is done. interrupted is called by a Ctrl-C, before anybody learns of it.
func Begin(mages context.Context, interrupted func()) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(mages))
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	over := live(signals)
	stopped := func(s os.Signal) {
		if s != os.Interrupt {
			cancel(fmt.Errorf("%w (%v)", errSignal, s))
			return
		}
		interrupted()
		cancel(ErrInterrupt)
		leave(signals, ended)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				stopped(s)
			case <-mages.Done():
				select {
				case s := <-signals:
					stopped(s)
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
		over()
		close(ended)
		tick.Stop()
		cancel(nil)
	}
}
