package pythons

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// The Python versions that tasks and builds are given, and the newest one that the pinned tools are tested with. Newer
// ones are refused rather than tried.
const (
	oldestMinor = 11
	newestMinor = 14
	toolsMinor  = 13
)

// lastPatch is above every release that a minor version has had.
const lastPatch = 99

// Ask is one place that says which Python it takes.
type Ask struct {
	manifest.Pos
	spec   string // as it is written there
	admits version.Range
}

// usualBuild are the build strings of CPython as everyone knows it: neither free-threaded, nor a debug build, nor PyPy.
var usualBuild = regexp.MustCompile(`^(\*|\*?_?cpython|\*?_?cp3\d+)$`)

// readEntry reads an entry for "python" in the words of the table that it stands in.
func readEntry(d manifest.Dependency) (Ask, error) {
	read, text := version.CondaRange, widenToMinors(d.Spec.Text)
	switch {
	case d.Table == manifest.PoetryPythonTable:
		read, text = version.PoetryRange, d.Spec.Text
	case d.Kind == manifest.PyPI || d.Table == manifest.RequiresPythonTable:
		read, text = version.PEP440Range, d.Spec.Text
	}
	if b := d.Spec.Build; b != "" && !usualBuild.MatchString(b) {
		return Ask{}, operr.New("run it with pixi: PIPELINE_TOOLCHAIN=pixi",
			"%s: the embedded toolchain cannot tell whether a Python is the conda build %q", d.Pos, b)
	}
	admits, err := read(text)
	if err != nil {
		return Ask{}, operr.New("write it as a list of versions and bounds, such as \">=3.12,<3.14\", or run it with pixi: PIPELINE_TOOLCHAIN=pixi",
			"%s: the embedded toolchain cannot read which Python is asked for: %w", d.Pos, err)
	}
	return Ask{Pos: d.Pos, spec: d.Spec.Text, admits: admits}, nil
}

var bareMinor = regexp.MustCompile(`^\d+(\.\d+)?$`)

// widenToMinors lets a bare 3.12 of a conda spec stand for every 3.12: for pixi it is 3.12.0 alone, which nobody can have
// meant, and which few machines have.
func widenToMinors(spec string) string {
	alternatives := strings.Split(spec, "|")
	for i, a := range alternatives {
		parts := strings.Split(a, ",")
		for j, p := range parts {
			if p = strings.TrimSpace(p); bareMinor.MatchString(p) {
				parts[j] = p + ".*"
			}
		}
		alternatives[i] = strings.Join(parts, ",")
	}
	return strings.Join(alternatives, "|")
}

// Read reads entries, after what is known, and leaves out those that were read before.
func Read(known []Ask, entries ...manifest.Dependency) ([]Ask, error) {
	for _, d := range entries {
		a, err := readEntry(d)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(known, func(b Ask) bool { return a.Pos == b.Pos && a.spec == b.spec }) {
			known = append(known, a)
		}
	}
	return known, nil
}

// toolAsks are what the toolchain's own tools ask for.
var toolAsks = []Ask{{spec: fmt.Sprintf(">=3.%d,<3.%d", oldestMinor, toolsMinor+1), admits: makeRange(oldestMinor, toolsMinor)}}

// meets reports whether a version is one of those that are known here, and what all places take.
func meets(asks []Ask, v version.Version) bool {
	return known.Has(v) && !slices.ContainsFunc(asks, func(a Ask) bool { return !a.admits.Has(v) })
}

// known are the versions that tasks and builds may be given.
var known = makeRange(oldestMinor, newestMinor)

// makeRange takes every release of the minor versions from one to another.
func makeRange(oldest, newest int) version.Range {
	r, err := version.CondaRange(fmt.Sprintf(">=3.%d,<3.%d.0a0", oldest, newest+1))
	if err != nil {
		panic(err)
	}
	return r
}

// minors are the known ones, those that the tools are tested with first, and of these the newest first.
var minors = func() (out []int) {
	for minor := toolsMinor; minor >= oldestMinor; minor-- {
		out = append(out, minor)
	}
	for minor := newestMinor; minor > toolsMinor; minor-- {
		out = append(out, minor)
	}
	return out
}()

// pick returns the newest interpreter that all places take; of two that are one version, the first.
func pick(asks []Ask, installed []Interpreter) (best Interpreter, found bool) {
	var newest version.Version
	for _, p := range installed {
		v, err := version.Parse(p.Version)
		if err != nil || !meets(asks, v) || found && v.Compare(newest) <= 0 {
			continue
		}
		best, newest, found = p, v, true
	}
	return best, found
}

// findVersion returns a version that all places take, as one would name it to an installer: "3.12" where its last patch will
// do, otherwise "3.12.4"; "" where no version is taken by all. One that the tools are tested with comes before one that is
// newer.
func findVersion(asks []Ask) string {
	for _, minor := range minors {
		for patch := lastPatch; patch >= 0; patch-- {
			text := fmt.Sprintf("3.%d.%d", minor, patch)
			if !meets(asks, version.MustParse(text)) {
				continue
			}
			if patch == lastPatch {
				text = fmt.Sprintf("3.%d", minor)
			}
			return text
		}
	}
	return ""
}
