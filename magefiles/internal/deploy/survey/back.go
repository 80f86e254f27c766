package survey

import "slices"

// backTo returns the release that a rollback restores on a host, or nil if there is none. Usually, it is the release before the current one. A
// killed deployment may have completed on some hosts only, but a user who sees the new release on one host expects all hosts to go back. So after a
// killed deployment, all hosts return to the release before it. After a killed rollback, all hosts proceed to that rollback's target.
func backTo(h Host, all []Host) *Version {
	if left := backTarget(h); left != nil {
		return left
	}
	for _, other := range all { // the killed deployment has not switched this host, or another run has reverted it
		if left := backTarget(other); left != nil && h.Kept.Current != nil && h.Kept.Current.Image == left.Image && h.Kept.Current.Spec == left.Spec {
			return h.Kept.Current
		}
	}
	return h.Kept.Previous
}

// backTarget returns the release to which a host returns if a killed deployment has switched its requests. It returns nil for any other host.
func backTarget(h Host) *Version {
	k := h.Kept
	if k.Candidate == nil || k.Current == nil || !k.Candidate.At(h.Up) {
		return nil
	}
	past := k.Older
	if k.Previous != nil {
		past = append([]Version{*k.Previous}, past...)
	}
	if n := slices.IndexFunc(past, func(v Version) bool { return v.ID == k.Candidate.ID }); n >= 0 {
		return &past[n] // a rollback's candidate is an older release
	}
	return k.Current
}
