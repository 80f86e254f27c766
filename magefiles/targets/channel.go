package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Channel serves and shows channels.
type Channel mg.Namespace

// Serve serves channels until it is stopped. The embedded prefix.dev serves them from a folder, and prints its URL as the first line on stdout. For
// example: `mage channel:serve`, `mage channel:serve -addr=127.0.0.1:8000`. Exit statuses: mage help channel:serve.
func (Channel) Serve(ctx context.Context,
	addr *string, // address to listen on; default: 127.0.0.1:0, which means any free port
	dir *string, // folder of the channels; default: output/channels
	repository *string, // OWNER/NAME of a repository whose jobs may publish to our channel without a key
	private *string, // channels that need a token even for reading, separated by commas
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		return a.channels.Serve(ctx, ourchannel.Serving{
			Addr:       orZero(addr),
			Dir:        orZero(dir),
			Repository: orZero(repository),
			Private:    orZero(private),
			Here:       a.dir,
			Runner:     a.runner,
			Start:      serveChannels,
			Line:       a.view.Line,
			Say:        a.view.Say,
			Log:        a.view.Err,
		})
	})
}

// Show lists our packages on the channel. It also lists the versions in the manifests. For example: `mage channel:show`, `mage channel:show -json`.
// Exit statuses: mage help channel:show.
func (Channel) Show(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return answer(a, isSet(json), func() (ourchannel.Holding, error) { return a.channels.Look(ctx, w) }, func(h ourchannel.Holding) {
			a.view.Table(ourchannel.Header, h.Rows())
			if missing := h.Missing(a.view.InJob); missing != "" {
				a.view.Text("\n%s", missing)
			}
			a.next(ctx, h.Next(w))
		})
	})
}
