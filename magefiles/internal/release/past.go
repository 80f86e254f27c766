package release

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Unfinished is the release that the journal of a clone has begun and not ended; nil where there is none.
func Unfinished(state string) (*Past, error) {
	past, err := Last(state)
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

// began reports whether a step was begun by this release. Where there is no journal (nil), nothing is known to be begun.
func (p *Past) began(step string) bool { return p != nil && p.Began(step) }

// ended reports whether a step was ended by this release, or found to be as it should.
func (p *Past) ended(step string) bool { return p != nil && p.Did(step) }

// leftOff reports whether a step was begun last and has neither ended nor failed: it was killed.
func (p *Past) leftOff(step string) (left bool) {
	if p == nil {
		return false
	}
	for _, rec := range p.Records {
		if rec.Step == step {
			left = rec.Event == workflow.Started
		}
	}
	return left
}

// commit is the release's, as far as the journal knows; "" where it knows of none.
func (p *Past) commit() string {
	var last Commit
	for _, rec := range p.Records {
		if rec.Step == StepCommit && (rec.Event == workflow.Done || rec.Event == workflow.Found) && json.Unmarshal(rec.Result, &last) != nil {
			last = Commit{}
		}
	}
	return last.Hash
}

// Accepts refuses a request for another release than this one, which is unfinished. The same words as before mean it.
func (p *Past) Accepts(asked bump.Request) error {
	planned := p.Plan.Bump.Request
	if asked.To != "" && !p.Plan.asked(asked) && (asked.To != planned.To || asked.Only != planned.Only) {
		return other(p.Plan, asked.To)
	}
	return nil
}

// RefusePlan refuses what no release can be made of, by manifests, plan and tags alone.
func RefusePlan(ctx context.Context, w *workspace.Workspace, planned *bump.Plan, history bump.Merged) error {
	found := slices.Concat(bump.Unversioned(ctx, w, w.Packages, history), notNoarch(w), ofPins(w))
	return inTheWay(append(found, ofBump(planned)...))
}

// RefuseUnversioned refuses packages that nothing can build, since pixi finds no version of them.
func RefuseUnversioned(ctx context.Context, w *workspace.Workspace, history bump.Merged) error {
	return inTheWay(bump.Unversioned(ctx, w, w.Packages, history))
}

// notNoarch are packages that are built for one platform at a time.
func notNoarch(w *workspace.Workspace) (found []*operr.Error) {
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return found
}

// ofPins are manifests that do not agree.
func ofPins(w *workspace.Workspace) (found []*operr.Error) {
	for _, d := range w.Disagreements() {
		if pkg, err := w.Package(d.Package); err == nil && pkg.Version.Source == workspace.VersionMissing && d.Pos == pkg.Version.Pos {
			continue // bump.Unversioned says which line to add
		}
		found = append(found, operr.New("correct it; `mage version:show` shows who requires whom", "%s: %s", d.Pos, d.Message))
	}
	return found
}

// ofBump is a plan that releases nothing.
func ofBump(planned *bump.Plan) []*operr.Error {
	if len(planned.Tags) > 0 {
		return nil
	}
	return []*operr.Error{operr.New("say -to=patch, minor, major, or a version", "%s", cmp.Or(strings.Join(planned.Notes, "; "), "nothing to release: no version changes"))}
}
