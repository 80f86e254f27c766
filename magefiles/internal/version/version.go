// Package version parses and compares versions in the subset that PEP 440, conda and SemVer interpret in the same way. Only these can be
// released:
//
//	N.N.N[{a|b|rc}N][.postN][.devN]
//
// Any number of release segments is allowed. Missing segments are zero, so 0.1.6 and 0.1.6.0 are equal. Everything else (epochs, local parts, a
// leading v, other separators) is interpreted differently by different tools, and rejected by Parse.
//
// Next and NextPre increment versions. Pin distinguishes exact pins from other requirements, in conda or PyPI syntax. Range represents the
// versions that a conda, PEP 440 or poetry requirement admits.
package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a version in the common subset. The zero value is invalid.
type Version struct {
	text    string
	release []uint64
	phase   string // "a", "b", "rc"; "" for a release
	pre     uint64
	post    uint64 // 1 more than written; 0 if there is none
	dev     uint64 // 1 more than written; 0 if there is none
}

var pattern = regexp.MustCompile(`^(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?$`)

// Parse parses a version. The error is one sentence that suggests the correct spelling if there is one.
func Parse(text string) (Version, error) {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		instead := ""
		if s := Suggest(text); s != "" {
			instead = "; " + s + " is accepted"
		}
		return Version{}, fmt.Errorf("%q is not a version that conda and PyPI read alike; expected N.N.N[{a|b|rc}N][.postN][.devN]%s", text, instead)
	}
	v := Version{text: text, phase: m[2]}
	var err error
	for part := range strings.SplitSeq(m[1], ".") {
		v.release = append(v.release, number(part, &err))
	}
	v.pre = number(m[3], &err)
	if m[4] != "" {
		v.post = number(m[4], &err) + 1
	}
	if m[5] != "" {
		v.dev = number(m[5], &err) + 1
	}
	if err != nil {
		return Version{}, fmt.Errorf("%q is not a version: one of its numbers is too large", text)
	}
	return v, nil
}

func number(s string, err *error) uint64 {
	if s == "" {
		return 0
	}
	n, e := strconv.ParseUint(s, 10, 32)
	if e != nil {
		*err = e
	}
	return n
}

// String returns the version as written.
func (v Version) String() string { return v.text }

// Parts returns the number of release segments as written: 3 for 1.2.0rc1.
func (v Version) Parts() int { return len(v.release) }

// Prerelease reports whether v is a pre-release: a, b, rc or dev.
func (v Version) Prerelease() bool { return v.phase != "" || v.dev > 0 }

// Compare returns -1, 0 or 1 according to the order of PEP 440: 1.0.dev1 < 1.0a1 < 1.0rc1 < 1.0 < 1.0.post1. conda has the same order, except for
// a .dev compared with an a, b or rc of the same release.
func (v Version) Compare(w Version) int {
	for i := range max(len(v.release), len(w.release)) {
		if c := cmp.Compare(segment(v.release, i), segment(w.release, i)); c != 0 {
			return c
		}
	}
	return cmp.Or(
		cmp.Compare(v.rank(), w.rank()),
		cmp.Compare(v.pre, w.pre),
		cmp.Compare(v.post, w.post),
		cmp.Compare(v.devRank(), w.devRank()),
	)
}

// rank orders the suffixes of a release: a .dev alone, then the phases, then none or a .post.
func (v Version) rank() int {
	switch {
	case v.phase == "" && v.post == 0 && v.dev > 0:
		return 0
	case v.phase == "":
		return 4
	}
	return map[string]int{"a": 1, "b": 2, "rc": 3}[v.phase]
}

// devRank sorts a version without .dev after all versions with .dev.
func (v Version) devRank() uint64 {
	if v.dev == 0 {
		return 1 << 33
	}
	return v.dev
}

func segment(release []uint64, i int) uint64 {
	if i < len(release) {
		return release[i]
	}
	return 0
}

// Same reports whether two texts are the same version, such as 0.1.6 and 0.1.6.0. Outside the common subset, they must be identical.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	v, errA := Parse(a)
	w, errB := Parse(b)
	return errA == nil && errB == nil && v.Compare(w) == 0
}

var pin = regexp.MustCompile(`^(?:={2,3}[ \t]*)?([0-9][0-9A-Za-z._+!-]*)$`)

// Pin returns the version in an exact requirement, and false for all other requirements. Exact requirements are `==0.1.0` in conda and PyPI, a
// bare `0.1.0`, which conda treats as `==` (PEP 508 has no bare versions), and `===0.1.0` in PEP 508. `=0.1.0` (in conda: any 0.1.0.x),
// wildcards, lists and alternatives are not exact. Surrounding whitespace is ignored. The version need not be in the common subset.
func Pin(spec string) (version string, exact bool) {
	m := pin.FindStringSubmatch(strings.TrimSpace(spec))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// MustParse is like Parse but panics on an error. It is for constant versions.
func MustParse(text string) Version {
	v, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return v
}
