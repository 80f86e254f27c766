package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/releasing"
)

// Status says where a release stands. It shows what its journal says beside what the world says; and a delivery that is unfinished. For example:
// `mage status`, `mage status -json`.
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
