package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// Why a run ended before it was done.
var (
	errSignal    = errors.New("stopped by a signal")
	errInterrupt = fmt.Errorf("%w (%v)", errSignal, os.Interrupt)
	errOrphan    = errors.New("stopped because the process that started us is gone")
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
	told, declined := plain(err), errors.Is(err, operr.ErrDeclined)
	if terminal(os.Stderr) {
		begins := "Error: " // which Mage writes
		if declined {
			begins = ""
		}
		told = told.Wrapped(begins, func(text string) string { return columns.Wrap(text, width(), 2) })
	}
	if !declined {
		newView().Annotate(err)
	}
	switch {
	case declined:
		fmt.Fprintf(os.Stderr, "%+v\n", told) // Mage would call it an error
		os.Exit(told.ExitStatus())
	case errors.Is(context.Cause(ctx), errInterrupt):
		told.Status = operr.Interrupted
	}
	return told
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

// patience is how long a run may tidy up after a Ctrl-C. What it has left behind then is what a kill leaves behind.
const patience = 5 * time.Second

// interrupts has a channel for each life of this process that a Ctrl-C ends.
var interrupts struct {
	sync.Mutex
	lives map[chan os.Signal]bool
}

// takeInterrupts lets lives have each Ctrl-C, and nobody else: Mage would say that it waits five seconds, and count a second one.
func takeInterrupts() {
	signal.Reset(os.Interrupt)
	for life := range interrupts.lives {
		signal.Notify(life, os.Interrupt)
	}
}

// live begins a life, and returns what ends it. Mage asks for a Ctrl-C just before or just after a target begins, so they are taken twice.
func live(signals chan os.Signal) (end func()) {
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	interrupts.Lock()
	defer interrupts.Unlock()
	first := len(interrupts.lives) == 0
	if first {
		interrupts.lives = map[chan os.Signal]bool{}
	}
	interrupts.lives[signals] = true
	signal.Notify(signals, os.Interrupt)
	again := func() {
		interrupts.Lock()
		defer interrupts.Unlock()
		takeInterrupts()
	}
	timer := time.NewTimer(time.Hour)
	if first {
		takeInterrupts()
		timer = time.AfterFunc(50*time.Millisecond, again)
	}
	return func() {
		timer.Stop()
		interrupts.Lock()
		defer interrupts.Unlock()
		delete(interrupts.lives, signals)
		signal.Stop(signals)
	}
}

// leave ends the process when a run that was stopped does not end.
func leave(signals chan os.Signal, ended chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-ended:
			return
		case s := <-signals:
			if s != os.Interrupt {
				continue
			}
		case <-timer.C:
		}
		fmt.Fprintln(os.Stderr, "left without tidying up, as a kill would: the next run does it")
		os.Exit(operr.Interrupted)
	}
}

// lifetime is ctx until Ctrl-C, SIGTERM or SIGHUP, or until our parent dies: a SIGTERM to `go tool mage` ends its two
// wrapping processes and would leave this one behind. Mage's own context ends with Ctrl-C too, and does not say why.
func lifetime(mages context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(mages))
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	end := live(signals)
	stopped := func(s os.Signal) {
		if s != os.Interrupt {
			cancel(fmt.Errorf("%w (%v)", errSignal, s))
			return
		}
		cancel(errInterrupt)
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
		end()
		close(ended)
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
