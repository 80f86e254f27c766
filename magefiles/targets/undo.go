package targets

import "context"

// Undo undoes an unfinished release. It undoes the commit and the tag, also on the remote. After an upload, it says why it cannot. It also names an
// unfinished delivery. For example: `mage undo`, `mage undo -yes`. Exit statuses: mage help undo.
func Undo(ctx context.Context,
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error { return a.releaser(isSet(yes)).Undo(ctx) })
}
