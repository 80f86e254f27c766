package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Graph prints the packages and who requires whom; formats are text, mermaid and svg.
func Graph(ctx context.Context,
	format *string, // text (default), mermaid or svg
) error {
	return inWorkspace(ctx, func(_ context.Context, a *app, w *workspace.Workspace) error {
		name := "text"
		if format != nil {
			name = *format
		}
		return a.view.Graph(w, name)
	})
}

// Doctor says what is installed, what is missing, what it is for, and how to get it.
func Doctor(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		findings := a.examine(ctx)
		a.view.Findings(findings)
		if n := view.Fatal(findings); n > 0 {
			return operr.New("get what the lines marked ✗ name", "%s that every run needs is missing", operr.Count(n, "thing"))
		}
		return nil
	})
}
