package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/releasing"
)

// Status shows the progress of a release. It compares the journal with the remote and the channel, and reports an unfinished delivery. For example:
// `mage status`, `mage status -json`. Exit statuses: mage help status.
func Status(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		r := a.releaser(false)
		return answer(a, isSet(json), func() (releasing.Status, error) {
			return r.Status(ctx)
		}, func(s releasing.Status) { r.ShowStatus(ctx, s) })
	})
}
