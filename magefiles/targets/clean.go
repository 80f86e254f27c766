package targets

import (
	"context"

	"github.com/magefile/mage/sh"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Clean removes what was made here. It removes artifacts, the channels of channel:serve, and environments of the embedded toolchain, but no caches of
// tools. For example: `mage clean`, `mage clean -yes build:all`. Exit statuses: mage help clean.
func Clean(ctx context.Context,
	yes *bool, // do not ask
) error {
	return inWorkspace(ctx, body(func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return folders.Cleaner{
			Runner: a.runner,
			Remove: sh.Rm,
			Agree:  func(ctx context.Context, question string) error { return a.confirm(ctx, isSet(yes), question) },
			Size:   columns.Size,
			Say:    a.view.Text,
		}.Clean(ctx, w)
	}).withNext("`mage build:all`"))
}
