package survey

import "slices"

// backTo is the release to which a host goes back; nil where there is none. Where nothing is under way that is the one before its current one. A
// deployment that was killed has done its part on some hosts and not on others: all hosts come to what a person means who sees requests go to
// its release on one of them. Whoever stopped a deployment gets what ran before it, and whoever stopped a rollback gets what that was to bring.
func backTo(h Host, all []Host) *Version {
	if left := leftBehind(h); left != nil {
		return left
	}
	for _, other := range all { // it has not switched yet, or has been taken back already
		if left := leftBehind(other); left != nil && h.Kept.Current != nil && h.Kept.Current.Image == left.Image && h.Kept.Current.Spec == left.Spec {
			return h.Kept.Current
		}
	}
	return h.Kept.Previous
}

// leftBehind is the release to which a host goes whose requests go to one of a deployment that has not ended; nil for any other host.
func leftBehind(h Host) *Version {
	k := h.Kept
	if k.Candidate == nil || k.Current == nil || !k.Candidate.At(h.Up) {
		return nil
	}
	past := k.Older
	if k.Previous != nil {
		past = append([]Version{*k.Previous}, past...)
	}
	if n := slices.IndexFunc(past, func(v Version) bool { return v.ID == k.Candidate.ID }); n >= 0 {
		return &past[n] // that of a rollback was there before
	}
	return k.Current
}
