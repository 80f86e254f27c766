package version

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Size is how far a version moves.
type Size int

// The sizes, the smaller one first.
const (
	None Size = iota
	Patch
	Minor
	Major
)

// String returns "patch", "minor" or "major", and "nothing" for None.
func (s Size) String() string { return [...]string{"nothing", "patch", "minor", "major"}[s] }

// ParseSize reads "patch", "minor" or "major".
func ParseSize(text string) (Size, bool) {
	i := slices.Index([]string{"patch", "minor", "major"}, text)
	return Size(i + 1), i >= 0
}

// Next returns the release that comes next: of 0.1.6 those are 0.1.7, 0.2.0 and 1.0.0. What comes before a release of that
// size already becomes that release: of 0.2.0rc1 the next patch and the next minor are 0.2.0. (SemVer's own arithmetic
// skips to 0.3.0, which nobody means who made a candidate of 0.2.0.) The number of segments stays, unless a patch needs
// a third one.
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

// shaped reports whether the release that v comes before is one of the size: 2.0.0 is a major one, 2.1.0 a minor one.
func (v Version) shaped(size Size) bool {
	for i := map[Size]int{Patch: 3, Minor: 2, Major: 1}[size]; i < len(v.release); i++ {
		if v.release[i] != 0 {
			return false
		}
	}
	return true
}

// Phases are the words that NextPre takes, in their order.
var Phases = []string{"dev", "a", "b", "rc", "post"}

// NextPre returns the next version of a phase: "dev", "a", "b" or "rc" on the way to a release, or "post" after one. Of a
// release, the way leads to the next one of the given size: 0.1.6 becomes 0.2.0rc1 for Minor. A version on the way goes
// on: 0.2.0a2 becomes 0.2.0a3, or 0.2.0rc1, but not back.
func (v Version) NextPre(phase string, size Size) (Version, error) {
	w := Version{release: slices.Clone(v.release), phase: phase, pre: 1}
	switch {
	case phase == "post":
		if v.Prerelease() {
			return v, fmt.Errorf("%s is no release, and has no post-release", v)
		}
		w.phase, w.pre, w.post = "", 0, max(v.post, 1)+1 // the first one is .post1, kept as 2
		return w.spelled(), nil
	case !v.Prerelease() || v.post > 0:
		w.release = v.Next(max(size, Patch)).release
	case phase == v.phase && v.dev == 0:
		w.pre = v.pre + 1
	case phase == v.phase:
		w.pre = v.pre // 0.2.0rc1.dev3 is on the way to 0.2.0rc1
	}
	if phase == "dev" {
		w.phase, w.pre, w.dev = "", 0, max(v.dev, 1)+1
		if v.dev > 0 {
			w.phase, w.pre = v.phase, v.pre
		}
	}
	if w = w.spelled(); w.Compare(v) <= 0 {
		return v, fmt.Errorf("%s comes after %s: the way to a release leads from dev by a and b to rc", v, w)
	}
	return w, nil
}

// Release returns the release that v is, or comes before or after: 0.2.0 of 0.2.0rc1.
func (v Version) Release() Version { return Version{release: v.release}.spelled() }

// spelled sets the text from the parts.
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

// NextPreOf returns the first version of a phase on the way to the release v.
func (v Version) NextPreOf(phase string) (Version, error) {
	w := Version{release: v.release}
	if phase == "dev" {
		w.dev = 2 // .dev1: the number is kept with 1 added
		return w.spelled(), nil
	}
	w.phase, w.pre = phase, 1
	return w.spelled(), nil
}
