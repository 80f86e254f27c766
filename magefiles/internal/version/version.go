// Package version knows the versions that PEP 440, conda and SemVer read alike, and the only ones that a release may carry:
//
//	N.N.N[{a|b|rc}N][.postN][.devN]
//
// with any number of release segments, of which missing ones are zero: 0.1.6 and 0.1.6.0 are one version. Anything else
// (epochs, local parts, a leading v, other separators) means different things to different tools and is refused by Parse.
//
// It counts versions up (Next, NextPre), tells an exact pin from every other requirement in the spelling of either world
// (Pin), and knows which versions a range admits, for conda and for PEP 440 (Range).
package version

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a version of the common subset. The zero value is not one.
type Version struct {
	text    string
	release []uint64
	phase   string // "a", "b", "rc"; "" for a release
	pre     uint64
	post    uint64 // 1 more than written; 0 where there is none
	dev     uint64 // the same
}

var pattern = regexp.MustCompile(`^(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?$`)

// Parse reads a version. The error is one sentence, with the spelling that would do where there is one.
func Parse(text string) (Version, error) {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		instead := ""
		if s := Suggest(text); s != "" {
			instead = "; " + s + " would do"
		}
		return Version{}, fmt.Errorf("%q is not a version that conda and PyPI read alike: N.N.N[{a|b|rc}N][.postN][.devN]%s", text, instead)
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
		return Version{}, fmt.Errorf("%q is not a version: a number in it is too large", text)
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

// String returns the version as it was written.
func (v Version) String() string { return v.text }

// Parts is how many numbers the release of the version is written with: 3 for 1.2.0rc1.
func (v Version) Parts() int { return len(v.release) }

// Prerelease reports whether the version comes before the release it names: a, b, rc or dev.
func (v Version) Prerelease() bool { return v.phase != "" || v.dev > 0 }

// Compare returns -1, 0 or 1 in the order of PEP 440: 1.0.dev1 < 1.0a1 < 1.0rc1 < 1.0 < 1.0.post1. conda agrees, but
// for a .dev beside an a, b or rc of the same release.
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

// rank orders what follows the release: a bare .dev, the phases, nothing or a .post.
func (v Version) rank() int {
	switch {
	case v.phase == "" && v.post == 0 && v.dev > 0:
		return 0
	case v.phase == "":
		return 4
	}
	return map[string]int{"a": 1, "b": 2, "rc": 3}[v.phase]
}

// devRank puts a version without .dev after all that have one.
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

// Same reports whether two spellings are one version: 0.1.6 and 0.1.6.0. Outside the common subset only equal texts are.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	v, errA := Parse(a)
	w, errB := Parse(b)
	return errA == nil && errB == nil && v.Compare(w) == 0
}

var pin = regexp.MustCompile(`^(?:={2,3}[ \t]*)?([0-9][0-9A-Za-z._+!-]*)$`)

// Pin returns the version that a requirement asks for exactly, and false for every other requirement. Exact are
// `==0.1.0` in both worlds; a bare `0.1.0`, which conda reads as `==` (PEP 508 has none); and `===0.1.0` of PEP 508.
// `=0.1.0` is not (conda: any 0.1.0.x), nor is a wildcard, a list, or a choice. Blanks around it do not matter.
// The version need not be in the common subset.
func Pin(spec string) (version string, exact bool) {
	m := pin.FindStringSubmatch(strings.TrimSpace(spec))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// MustParse is Parse for a version that is written in the program.
func MustParse(text string) Version {
	v, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return v
}
