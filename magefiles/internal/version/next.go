package version

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Size is the part of a version to increment.
type Size int

// The sizes, smallest first.
const (
	None Size = iota
	Patch
	Minor
	Major
)

// String returns "patch", "minor" or "major", and "nothing" for None.
func (s Size) String() string { return [...]string{"nothing", "patch", "minor", "major"}[s] }

// ParseSize parses "patch", "minor" or "major".
func ParseSize(text string) (Size, bool) {
	i := slices.Index([]string{"patch", "minor", "major"}, text)
	return Size(i + 1), i >= 0
}

// Next returns the next release of the given size. For 0.1.6 these are 0.1.7, 0.2.0 and 1.0.0. If v is a pre-release of a release of that size,
// Next returns that release: for 0.2.0rc1, the next patch and the next minor are both 0.2.0. (SemVer would skip to 0.3.0, which is not wanted
// after a candidate for 0.2.0.) The number of segments is kept, unless a patch requires a third one.
func (v Version) Next(size Size) Version {
	if size == None || v.Prerelease() && v.post == 0 && v.shaped(size) {
		return v.Release()
	}
	s := semver.New(segment(v.release, 0), segment(v.release, 1), segment(v.release, 2), "", "")
	next := map[Size]func() semver.Version{Patch: s.IncPatch, Minor: s.IncMinor, Major: s.IncMajor}[size]()
	segments := max(len(v.release), map[Size]int{Patch: 3, Minor: 2, Major: 1}[size])
	release := make([]uint64, segments)
	copy(release, []uint64{next.Major(), next.Minor(), next.Patch()})
	return Version{release: release}.spelled()
}

// shaped reports whether the release segments of v are those of a release of at least the given size: 2.0.0 is a major release, 2.1.0 a minor
// release.
func (v Version) shaped(size Size) bool {
	for i := map[Size]int{Patch: 3, Minor: 2, Major: 1}[size]; i < len(v.release); i++ {
		if v.release[i] != 0 {
			return false
		}
	}
	return true
}

// Phases lists the phases that NextPre accepts, in order.
var Phases = []string{"dev", "a", "b", "rc", "post"}

// NextPre returns the next version of a phase: "dev", "a", "b" or "rc" before a release, or "post" after one. From a release, it starts a
// pre-release of the next release of the given size: 0.1.6 becomes 0.2.0rc1 for Minor. From a pre-release, the phase never goes back: 0.2.0a2
// becomes 0.2.0a3 or 0.2.0rc1.
func (v Version) NextPre(phase string, size Size) (Version, error) {
	w := Version{release: slices.Clone(v.release), phase: phase, pre: 1}
	switch {
	case phase == "post":
		if v.Prerelease() {
			return v, fmt.Errorf("%s is not a release, so it cannot have a post-release", v)
		}
		w.phase, w.pre, w.post = "", 0, max(v.post, 1)+1 // the first is .post1, which is stored as 2
		return w.spelled(), nil
	case !v.Prerelease() || v.post > 0:
		w.release = v.Next(max(size, Patch)).release
	case phase == v.phase && v.dev == 0:
		w.pre = v.pre + 1
	case phase == v.phase:
		w.pre = v.pre // 0.2.0rc1.dev3 precedes 0.2.0rc1
	}
	if phase == "dev" {
		w.phase, w.pre, w.dev = "", 0, max(v.dev, 1)+1
		if v.dev > 0 {
			w.phase, w.pre = v.phase, v.pre
		}
	}
	if w = w.spelled(); w.Compare(v) <= 0 {
		return v, fmt.Errorf("%s comes after %s: the phases before a release are dev, a, b and rc, in this order", v, w)
	}
	return w, nil
}

// Release returns the final release to which v belongs: 0.2.0 for 0.2.0rc1.
func (v Version) Release() Version { return Version{release: v.release}.spelled() }

// spelled sets the text from the other fields.
func (v Version) spelled() Version {
	var b strings.Builder
	for i, n := range v.release {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatUint(n, 10))
	}
	if v.phase != "" {
		b.WriteString(v.phase + strconv.FormatUint(v.pre, 10))
	}
	if v.post > 0 {
		b.WriteString(".post" + strconv.FormatUint(v.post-1, 10))
	}
	if v.dev > 0 {
		b.WriteString(".dev" + strconv.FormatUint(v.dev-1, 10))
	}
	v.text = b.String()
	return v
}

// NextPreOf returns the first version of a phase that precedes the release v.
func (v Version) NextPreOf(phase string) (Version, error) {
	w := Version{release: v.release}
	if phase == "dev" {
		w.dev = 2 // .dev1, which is stored as 2
		return w.spelled(), nil
	}
	w.phase, w.pre = phase, 1
	return w.spelled(), nil
}
