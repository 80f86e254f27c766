package survey

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// If a deployment or rollback was killed after only one of two hosts, a rollback brings both to the same release.
func TestRollbackToOneRelease(t *testing.T) {
	one, two, three := Version{ID: "one", Image: "one"}, Version{ID: "two", Image: "two"}, Version{ID: "three", Image: "three"}
	host := func(up Version, k Kept) Host { return Host{Up: up.ID + ":80", Kept: k} }
	before := Kept{Current: &two, Previous: &one}
	noted := Kept{Current: &two, Previous: &one, Candidate: &three}
	after := Kept{Current: &three, Previous: &two, Older: []Version{one}}
	backNoted := Kept{Current: &three, Previous: &two, Older: []Version{one}, Candidate: &two}
	backAfter := Kept{Current: &two, Previous: &one}
	other := two
	other.Spec = "another configuration"
	for name, c := range map[string]struct {
		a, b Host
		want *Version
	}{
		"at rest":              {a: host(two, before), b: host(two, before), want: &one},
		"one noted":            {a: host(two, noted), b: host(two, before), want: &one},
		"both noted":           {a: host(two, noted), b: host(two, noted), want: &one},
		"one switched":         {a: host(three, noted), b: host(two, noted), want: &two},
		"both switched":        {a: host(three, noted), b: host(three, noted), want: &two},
		"one remembered":       {a: host(three, after), b: host(three, noted), want: &two},
		"both remembered":      {a: host(three, after), b: host(three, after), want: &two},
		"one taken back":       {a: host(two, before), b: host(three, noted), want: &two},
		"one taken back, left": {a: host(two, noted), b: host(three, noted), want: &two},

		"back: one noted":      {a: host(three, backNoted), b: host(three, after), want: &two},
		"back: one switched":   {a: host(two, backNoted), b: host(three, backNoted), want: &two},
		"back: both switched":  {a: host(two, backNoted), b: host(two, backNoted), want: &two},
		"back: one remembered": {a: host(two, backAfter), b: host(two, backNoted), want: &two},
		"back: both":           {a: host(two, backAfter), b: host(two, backAfter), want: &one},

		"another configuration of the same image": {
			a:    host(other, Kept{Current: &other, Previous: &two}),
			b:    host(Version{ID: "x"}, Kept{Current: &two, Candidate: &Version{ID: "x", Image: "two", Spec: other.Spec}}),
			want: &two,
		},
		"the first deployment":         {a: host(three, Kept{Candidate: &three}), b: host(Version{}, Kept{}), want: nil},
		"the second one, and switched": {a: host(three, Kept{Current: &two, Candidate: &three}), b: host(two, Kept{Current: &two}), want: &two},
	} {
		for _, all := range [][]Host{{c.a, c.b}, {c.b, c.a}} {
			for _, h := range all {
				require.Equal(t, c.want, backTo(h, all), name)
			}
		}
	}
}
