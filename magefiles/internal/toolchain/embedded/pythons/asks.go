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

// Tasks and builds can use Python versions from oldestMinor to newestMinor. The pinned tools are tested with versions up to toolsMinor. Newer
// versions than newestMinor are rejected.
const (
	oldestMinor = 11
	newestMinor = 14
	toolsMinor  = 13
)

// lastPatch is higher than the patch number of any release.
const lastPatch = 99

// Ask is a requirement on Python: its position, and the versions that satisfy it.
type Ask struct {
	manifest.Pos
	spec   string // spec as written in the manifest
	admits version.Range
}

// usualBuild matches build strings of standard CPython, not of free-threaded or debug builds or of PyPy.
var usualBuild = regexp.MustCompile(`^(\*|\*?_?cpython|\*?_?cp3\d+)$`)

// readEntry parses an entry for "python" according to the rules of its table.
func readEntry(d manifest.Dependency) (Ask, error) {
	read, text := version.CondaRange, widenToMinors(d.Spec.Text)
	switch {
	case d.Table == manifest.PoetryPythonTable:
		read, text = version.PoetryRange, d.Spec.Text
	case d.Kind == manifest.PyPI || d.Table == manifest.RequiresPythonTable:
		read, text = version.PEP440Range, d.Spec.Text
	}
	if b := d.Spec.Build; b != "" && !usualBuild.MatchString(b) {
		return Ask{}, operr.New("use pixi instead: PIPELINE_TOOLCHAIN=pixi",
			"%s: the embedded toolchain cannot check whether an installed Python is the conda build %q", d.Pos, b)
	}
	admits, err := read(text)
	if err != nil {
		return Ask{}, operr.New("write the requirement as a list of versions and bounds, for example \">=3.12,<3.14\", or use pixi instead: PIPELINE_TOOLCHAIN=pixi",
			"%s: the embedded toolchain cannot read this requirement on Python: %w", d.Pos, err)
	}
	return Ask{Pos: d.Pos, spec: d.Spec.Text, admits: admits}, nil
}

var bareMinor = regexp.MustCompile(`^\d+(\.\d+)?$`)

// widenToMinors makes a bare 3.12 in a conda spec match every 3.12 release. pixi matches only 3.12.0, which is surely unintended and rarely
// installed.
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

// Read returns the requirements in `known`, followed by new ones from the entries, without duplicates.
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

// toolAsks is the requirement of the toolchain's own tools.
var toolAsks = []Ask{{spec: fmt.Sprintf(">=3.%d,<3.%d", oldestMinor, toolsMinor+1), admits: makeRange(oldestMinor, toolsMinor)}}

// meets reports whether a version is supported and satisfies all requirements.
func meets(asks []Ask, v version.Version) bool {
	return known.Has(v) && !slices.ContainsFunc(asks, func(a Ask) bool { return !a.admits.Has(v) })
}

// `known` is the range of versions supported for tasks and builds.
var known = makeRange(oldestMinor, newestMinor)

// makeRange returns the range of all releases from one minor version to another, inclusive.
func makeRange(oldest, newest int) version.Range {
	r, err := version.CondaRange(fmt.Sprintf(">=3.%d,<3.%d.0a0", oldest, newest+1))
	if err != nil {
		panic(err)
	}
	return r
}

// minors lists the supported minor versions in order of preference: those tested with the tools, newest first, then newer ones.
var minors = func() (out []int) {
	for minor := toolsMinor; minor >= oldestMinor; minor-- {
		out = append(out, minor)
	}
	for minor := newestMinor; minor > toolsMinor; minor-- {
		out = append(out, minor)
	}
	return out
}()

// pick returns the newest interpreter that satisfies all requirements, or the first of several with the same version.
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

// findVersion returns a version that satisfies all requirements, in a form for an installer: "3.12" if its latest patch does, otherwise "3.12.4",
// or "" if no version does. It prefers versions tested with the tools to newer ones.
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
