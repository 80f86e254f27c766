package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Why a run ended before it was done.
var (
	errSignal = errors.New("stopped by a signal")
	errOrphan = errors.New("stopped because the process that started us is gone")
)

// run builds the pipeline, gives it a context that ends with the process's reason to live, and makes what f returns an
// error that Mage prints and exits with as it should.
func run(ctx context.Context, f func(ctx context.Context, a *pipeline) error) error {
	debug.SetGCPercent(400) // a target is short-lived: it may take four times its live memory before it tidies up
	ctx, stop := lifetime(ctx)
	defer stop()
	a, err := newPipeline()
	panicked := false
	if err == nil {
		panicked, err = recovered(func() error { return f(ctx, a) })
	}
	if err == nil {
		return nil
	}
	err = around(a.dir).Explain(err)
	var told *operr.Error
	if cause := context.Cause(ctx); cause != nil && !panicked && (!errors.As(err, &told) || told.Next == "" || !errors.Is(err, cause)) {
		err = operr.New("nothing is left half-way; run it again when you like", "%w", cause)
	}
	newView().Annotate(err)
	return plain(err)
}

// recovered calls f and makes an error of a panic, which says where it was: Mage would show the words alone. The panic by which Mage
// says that a dependency has failed goes on.
func recovered(f func() error) (panicked bool, err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if _, mages := v.(interface{ ExitStatus() int }); mages {
			panic(v)
		}
		panicked, err = true, operr.Panicked(v)
	}()
	return false, f()
}

// runJob is run for a function that other targets depend on. Mage joins the errors of dependencies to one text, in which
// details and next steps would be lost, so they are said at once.
func runJob(ctx context.Context, f func(ctx context.Context, a *pipeline) error) error {
	err := run(ctx, f)
	var told *operr.Error
	if errors.As(err, &told) && (told.Detail != "" || told.Next != "") {
		newView().Say("%+v", told)
	}
	return err
}

// parent is the process that started us. It is asked for once: a target that begins after its death would else take another one for it.
var parent = os.Getppid()

// lifetime is ctx until Ctrl-C, SIGTERM or SIGHUP, or until our parent dies: a SIGTERM to `go tool mage` ends its two
// wrapping processes and would leave this one behind. Mage's own context ends with Ctrl-C too, and does not say why.
func lifetime(mages context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(mages))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
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

// plain is what people are shown of an error: its words, which may be a server's, a file's or a child's, as text, and without
// secrets. It has no other error in it, whose detail or cure would be shown as they are.
func plain(err error) *operr.Error {
	e := operr.Error{
		Summary: err.Error(),
		Detail:  operr.DetailOf(err),
		Next:    operr.NextOf(err),
		Status:  operr.ExitStatus(err),
	}
	hidden := secrets()
	for _, text := range []*string{&e.Summary, &e.Detail, &e.Next} {
		*text = view.Plain(command.Redact(*text, hidden...))
	}
	return &e
}
