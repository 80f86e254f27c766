package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Graph prints who requires whom. It has the packages and downstreams; formats are text, mermaid and svg. For example: `mage graph`, `mage graph
// -format=svg`.
func Graph(ctx context.Context,
	format *string, // text (default), mermaid or svg
	json *bool, // print one JSON object
) error {
	return inPackages(ctx, func(_ context.Context, a *pipeline, w *workspace.Workspace) error {
		name := "text"
		switch {
		case isSet(json):
			name = "json"
		case format != nil:
			name = *format
		}
		return a.view.Graph(w, name)
	})
}
