package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/lifetime"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// run builds the pipeline, calls f with a context that ends when the process should end, and turns the error of f into one that Mage prints and exits
// with correctly.
func run(ctx context.Context, f func(ctx context.Context, a *pipeline) error) error {
	debug.SetGCPercent(400) // a target is short-lived: the heap may grow by four times the live memory before a collection
	a, err := newPipeline()
	ctx, stop := lifetime.Begin(ctx, a.view.ClearInterrupt)
	defer stop()
	panicked := false
	if err == nil {
		panicked, err = lifetime.Recover(func() error { return f(ctx, a) })
	}
	if err == nil {
		return nil
	}
	err = processFolders(a.dir).Explain(err)
	if cause := context.Cause(ctx); cause != nil && !panicked && !(operr.HasWayOn(err) && errors.Is(err, cause)) {
		err = operr.New("run the command again: nothing was left half done", "%w", cause)
	}
	if errors.Is(err, operr.ErrDeclined) {
		fmt.Fprintf(os.Stderr, "%+v\n", wrapError(err, "")) // Mage would print "Error: " before it
		os.Exit(operr.ExitStatus(err))
	}
	newView().Annotate(err)
	told := wrapError(err, "Error: ") // Mage prints this text first
	if errors.Is(context.Cause(ctx), lifetime.ErrInterrupt) {
		told.Status = operr.Interrupted
	}
	return told
}

// runJob works as run, for a function that other targets depend on. Mage joins the errors of dependencies into one text without details and next
// steps, so runJob prints them at once.
func runJob(ctx context.Context, f func(ctx context.Context, a *pipeline) error) error {
	err := run(ctx, f)
	var told *operr.Error
	if errors.As(err, &told) && (told.Detail != "" || told.Next != "") {
		newView().Say("%+v", told)
	}
	return err
}

// wrapError returns the result of plain, broken at words for a terminal, after the text with which its line begins.
func wrapError(err error, begins string) *operr.Error {
	told := plain(err)
	if terminal(os.Stderr) {
		told = told.WrapText(begins, func(text string) string { return columns.Wrap(text, width(), 2) })
	}
	return told
}

// plain returns an error in the form that is shown to people, without secrets.
func plain(err error) *operr.Error { return view.Sanitize(err, secrets()...) }
