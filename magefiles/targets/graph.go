package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Graph prints the dependency graph. It has the packages and the downstreams, as text, mermaid or svg. For example: `mage graph`, `mage graph
// -format=svg`. Exit statuses: mage help graph.
func Graph(ctx context.Context,
	format *string, // text (default), mermaid or svg
	json *bool, // print one JSON object
) error {
	return inPackages(ctx, func(_ context.Context, a *pipeline, w *workspace.Workspace) error {
		name := "text"
		switch {
		case isSet(json) && format != nil:
			return operr.NewUsage("remove one of these flags", "-format=%s and -json both set the format of the graph", *format)
		case isSet(json):
			name = "json"
		case format != nil:
			name = *format
		}
		return a.view.Graph(w, name)
	})
}
