// Package lifetime provides the context of a run. It is canceled by Ctrl-C, by another terminating signal, or when the parent process dies. The
// context's cause is the reason.
//
//	lifetime.go    the context of a run
//	interrupts.go  delivers Ctrl-C to the runs of this process instead of to Mage
package lifetime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Causes of a run's early end.
var (
	errSignal    = errors.New("stopped by a signal")
	ErrInterrupt = fmt.Errorf("%w (%v)", errSignal, os.Interrupt) // a Ctrl-C
	errOrphan    = errors.New("stopped because the process that started this one has ended")
)

// parent is the process that started us. It is looked up only once, because after the parent's death, a target that begins would get the ID of
// another process.
var parent = os.Getppid()

// Begin returns a context that lives until Ctrl-C, SIGTERM or SIGHUP, or until our parent dies: a SIGTERM to `go tool mage` ends its two wrapping
// processes and would leave this one. Mage's own context, the argument, also ends with Ctrl-C, but does not say why. The caller must call `end` when
// the run is over. A Ctrl-C calls `interrupted` before the context ends.
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

// Recover calls `f`, and converts a panic into an error with the stack, which Mage would not print. It does not recover Mage's own panic for a failed
// dependency.
func Recover(f func() error) (panicked bool, err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if _, mages := v.(interface{ ExitStatus() int }); mages {
			panic(v)
		}
		panicked, err = true, operr.FromPanic(v)
	}()
	return false, f()
}
