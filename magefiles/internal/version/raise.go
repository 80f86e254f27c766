package version

import (
	"fmt"
	"slices"
	"strings"
)

// Raise returns the range with its lower bound raised to v, so that it admits v. All other bytes are kept: for 0.2.0, `>=0.1.6` becomes
// `>=0.2.0`, `~=0.1` becomes `~=0.2`, and `0.1.*` becomes `0.2.*`. An upper bound is also raised if it is the next release after the lower bound:
// `>=0.1.6,<0.2` becomes `>=0.2.0,<0.3`. If a range cannot be raised in this way, Raise returns an error, and the user must choose the new range.
func (r Range) Raise(v Version) (string, error) {
	if len(r.any) != 1 {
		return "", fmt.Errorf("%q has alternatives, so its lower bound cannot be raised", r.text)
	}
	clauses := r.any[0]
	lower := slices.IndexFunc(clauses, func(c clause) bool {
		return slices.Contains([]string{">=", "~=", "^", "~"}, c.op) || c.op == "==" && c.prefix
	})
	if lower < 0 {
		return "", fmt.Errorf("%q has no lower bound", r.text)
	}
	out := r.text
	for i, c := range slices.Backward(clauses) { // from the end, so that offsets remain valid
		text := ""
		switch {
		case i == lower:
			text = c.raised(v)
		case c.op == "<" && !c.has(v, r.dialect.pypi):
			text = nextAlike(clauses[lower].version, c.version, v)
		}
		if text != "" {
			out = out[:c.at] + text + out[c.at+len(c.raw):]
		}
	}
	raised, err := r.dialect.read(out)
	if err != nil || !raised.Has(v) {
		return "", fmt.Errorf("%q does not admit %s, even with a higher lower bound", r.text, v)
	}
	return out, nil
}

// raised formats v for the clause: in full for a bound, and with the clause's number of segments for a prefix.
func (c clause) raised(v Version) string {
	if c.op == ">=" || v.Prerelease() || v.post > 0 {
		return v.String()
	}
	release := slices.Clone(v.release)
	for len(release) < len(c.version.release) {
		release = append(release, 0)
	}
	return Version{release: release[:len(c.version.release)]}.spelled().text
}

// nextAlike returns an upper bound that relates to v as upper relates to lower (the next major, minor or patch), or "" if upper is none of these.
func nextAlike(lower, upper, v Version) string {
	if upper.Prerelease() || upper.post > 0 {
		return ""
	}
	for _, size := range []Size{Major, Minor, Patch} {
		if lower.Release().Next(size).Compare(upper) == 0 {
			next := v.Release().Next(size)
			return strings.Join(strings.SplitN(next.text+".0.0.0.0", ".", len(upper.release)+1)[:len(upper.release)], ".")
		}
	}
	return ""
}
