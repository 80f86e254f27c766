package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/schema"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
)

// Schema prints a JSON schema of pixi.toml. It is for editors, and has pixi's own tables and ours. For example: `mage schema`, `mage schema doctor`.
// Exit statuses: mage help schema.
func Schema(ctx context.Context) error {
	return run(ctx, func(_ context.Context, a *pipeline) error {
		text, err := schema.Of(schema.Pixis(pixi.Version))
		if err == nil {
			a.view.Line("%s", text)
		}
		return err
	})
}
