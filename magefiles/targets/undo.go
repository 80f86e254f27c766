package targets

import "context"

// Undo takes the unfinished release back: commit and tag, on the remote too. Once something was uploaded it says why not. It names an unfinished delivery.
func Undo(ctx context.Context,
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error { return a.releaser(isSet(yes)).Undo(ctx) })
}
