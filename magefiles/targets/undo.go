package targets

import "context"

// Undo takes an unfinished release back. That is its commit and tag, on the remote too; once something was uploaded it says why not. It names an
// unfinished delivery. For example: `mage undo`, `mage undo -yes`.
func Undo(ctx context.Context,
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error { return a.releaser(isSet(yes)).Undo(ctx) })
}
