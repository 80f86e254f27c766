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

// RefusePlan returns an error if a plan cannot be released, as far as manifests, plan and tags show.
func RefusePlan(ctx context.Context, w *workspace.Workspace, planned *bump.Plan, history released.Merged) error {
	found := slices.Concat(released.FindUnversioned(ctx, w, w.Packages, history), findNotNoarch(w), findDisagreements(w))
	return refuse(append(found, findBump(planned)...))
}

// RefuseUnversioned returns an error if there are packages that cannot be built because pixi finds no version for them.
func RefuseUnversioned(ctx context.Context, w *workspace.Workspace, history released.Merged) error {
	return refuse(released.FindUnversioned(ctx, w, w.Packages, history))
}

// findNotNoarch reports packages that are built for a single platform.
func findNotNoarch(w *workspace.Workspace) (found []*operr.Error) {
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return found
}

// findDisagreements reports manifests that contradict each other.
func findDisagreements(w *workspace.Workspace) (found []*operr.Error) {
	for _, d := range w.Disagreements() {
		if pkg, err := w.Package(d.Package); err == nil && pkg.Version.Source == manifest.VersionMissing && d.Pos == pkg.Version.Pos {
			continue // released.FindUnversioned reports this, and which line to add
		}
		next := "correct this line; `mage version:show` shows which package requires which version"
		if d.Apart {
			next = "correct this line, " + w.WaysOut([]workspace.Disagreement{d})
		}
		found = append(found, operr.New(next, "%s: %s", d.Pos, d.Message))
	}
	return found
}

// findBump reports a plan that releases nothing.
func findBump(planned *bump.Plan) []*operr.Error {
	if len(planned.Tags) > 0 {
		return nil
	}
	return []*operr.Error{operr.New("pass -to=patch, minor, major, or a version", "%s", cmp.Or(strings.Join(planned.Notes, "; "), "nothing to release: no version changes"))}
}
