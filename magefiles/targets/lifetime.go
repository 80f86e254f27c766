package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lifetime"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// run builds the pipeline, gives it a context that ends with the process's reason to live, and makes what f returns an
// error that Mage prints and exits with as it should.
func run(ctx context.Context, f func(ctx context.Context, a *pipeline) error) error {
	debug.SetGCPercent(400) // a target is short-lived: it may take four times its live memory before it tidies up
	a, err := newPipeline()
	ctx, stop := lifetime.Begin(ctx, a.view.Interrupted)
	defer stop()
	panicked := false
	if err == nil {
		panicked, err = recovered(func() error { return f(ctx, a) })
	}
	if err == nil {
		return nil
	}
	err = around(a.dir).Explain(err)
	if cause := context.Cause(ctx); cause != nil && !panicked && !(operr.HasWayOn(err) && errors.Is(err, cause)) {
		err = operr.New("nothing is left half-way; run it again when you like", "%w", cause)
	}
	if errors.Is(err, operr.ErrDeclined) {
		fmt.Fprintf(os.Stderr, "%+v\n", fitted(err, "")) // Mage would call it an error
		os.Exit(operr.ExitStatus(err))
	}
	newView().Annotate(err)
	told := fitted(err, "Error: ") // which Mage writes
	if errors.Is(context.Cause(ctx), lifetime.ErrInterrupt) {
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

// fitted is plain, broken at words for a terminal, behind what its line begins with.
func fitted(err error, begins string) *operr.Error {
	told := plain(err)
	if terminal(os.Stderr) {
		told = told.Wrapped(begins, func(text string) string { return columns.Wrap(text, width(), 2) })
	}
	return told
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
