package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Version shows and changes versions.
type Version mg.Namespace

// Show prints packages, versions, and who requires whom and how; it fails when the manifests disagree.
func (Version) Show(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(_ context.Context, a *app, w *workspace.Workspace) error {
		if err := a.view.Versions(w, isSet(json)); err != nil {
			return err
		}
		if n := len(w.Disagreements()); n > 0 {
			return operr.New("mend the places named above", "the manifests disagree in %s", view.Count(n, "place"))
		}
		return nil
	})
}

func isSet(flag *bool) bool { return flag != nil && *flag }
