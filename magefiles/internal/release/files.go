package release

import "context"

// ofPlatforms wants every package to be noarch. A release whose tag is out is seen to its end as it was begun.
func (r *Release) ofPlatforms(ctx context.Context, a *asked) (found []Finding) {
	if a.w == nil || r.isOut(ctx, a) {
		return nil
	}
	for _, n := range a.w.NotNoarch() {
		found = append(found, bad(n.Next(), "%s", n.What()))
	}
	return found
}

// isOut says whether a release that goes on has its tags on the remote.
func (r *Release) isOut(ctx context.Context, a *asked) bool {
	if r.plan == nil || a.drafted || a.refsErr != nil {
		return false
	}
	pushed, _ := r.pushed(ctx, a.refs)
	return pushed != ""
}
