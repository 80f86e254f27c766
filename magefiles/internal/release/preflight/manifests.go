package preflight

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// RefusePlan refuses what no release can be made of, by manifests, plan and tags alone.
func RefusePlan(ctx context.Context, w *workspace.Workspace, planned *bump.Plan, history released.Merged) error {
	found := slices.Concat(released.Unversioned(ctx, w, w.Packages, history), findNotNoarch(w), findDisagreements(w))
	return refuse(append(found, findBump(planned)...))
}

// RefuseUnversioned refuses packages that nothing can build, since pixi finds no version of them.
func RefuseUnversioned(ctx context.Context, w *workspace.Workspace, history released.Merged) error {
	return refuse(released.Unversioned(ctx, w, w.Packages, history))
}

// findNotNoarch finds packages that are built for one platform at a time.
func findNotNoarch(w *workspace.Workspace) (found []*operr.Error) {
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return found
}

// findDisagreements finds manifests that do not agree.
func findDisagreements(w *workspace.Workspace) (found []*operr.Error) {
	for _, d := range w.Disagreements() {
		if pkg, err := w.Package(d.Package); err == nil && pkg.Version.Source == manifest.VersionMissing && d.Pos == pkg.Version.Pos {
			continue // released.Unversioned says which line to add
		}
		next := "correct it; `mage version:show` shows who requires whom"
		if d.Apart {
			next = "correct it, " + w.WaysOut([]workspace.Disagreement{d})
		}
		found = append(found, operr.New(next, "%s: %s", d.Pos, d.Message))
	}
	return found
}

// findBump finds a plan that releases nothing.
func findBump(planned *bump.Plan) []*operr.Error {
	if len(planned.Tags) > 0 {
		return nil
	}
	return []*operr.Error{operr.New("say -to=patch, minor, major, or a version", "%s", cmp.Or(strings.Join(planned.Notes, "; "), "nothing to release: no version changes"))}
}
