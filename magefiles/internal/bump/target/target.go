// Package target parses the argument that selects a new version: patch, minor, major, auto, a pre-release phase, or a version.
package target

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Auto selects the size that the commits since the last tag require.
const Auto = "auto"

// Target is a parsed argument.
type Target struct {
	Size  version.Size
	Phase string           // phase of a pre-release or post-release, or ""
	Auto  bool             // whether the size depends on the commits
	Exact *version.Version // nil unless a version was given
}

var longPhases = map[string]string{"alpha": "a", "beta": "b", "c": "rc"}

// Read parses the argument. Its errors have the exit status operr.Usage.
func Read(to string) (Target, error) {
	word := strings.ToLower(to)
	if long, ok := longPhases[word]; ok {
		word = long
	}
	if size, ok := version.ParseSize(word); ok {
		return Target{Size: size}, nil
	}
	switch {
	case word == Auto:
		return Target{Auto: true}, nil
	case word == "post":
		return Target{Phase: word}, nil
	case slices.Contains(version.Phases, word):
		return Target{Phase: word, Auto: true}, nil
	case to == "":
		return Target{}, operr.NewUsage("pass -to=patch, minor, major, auto, rc, or a version such as -to=1.2.0", "-to is missing: the new version is unknown")
	}
	v, err := version.Parse(to)
	if err != nil {
		next := "pass -to=patch, minor, major, auto, rc, or a version such as -to=1.2.0"
		if s := version.Suggest(to); s != "" {
			next = "pass -to=" + s
		}
		return Target{}, operr.NewUsage(next, "%w", err)
	}
	if c := v.Canonical(); c != to {
		return Target{}, operr.NewUsage("pass -to="+c, "%s would have two spellings: PyPI writes %s, and conda keeps the zeros", to, c)
	}
	return Target{Exact: &v}, nil
}

// RefuseOneNumber returns an error for a version with only one number if the current version has more. The error suggests the full version.
func RefuseOneNumber(to, at version.Version) error {
	if to.Parts() > 1 || at.Parts() == 1 {
		return nil
	}
	text := to.String()
	behind := strings.TrimLeft(text, "0123456789") // the suffix, such as rc1
	whole := strings.TrimSuffix(text, behind) + strings.Repeat(".0", at.Parts()-1) + behind
	return operr.NewUsage("pass -to="+whole, "-to=%s has one number, but the current version %s has %d", text, at, at.Parts())
}

// Flags returns the command-line flags for a target, quoted for a shell. `only` limits the bump to one package unless it is "", and `raise` raises
// ranges.
func Flags(to, only string, raise bool) string {
	line := "-to=" + operr.Word(to)
	if only != "" {
		line += " -only=" + operr.Word(only)
	}
	if raise {
		line += " -ranges=raise"
	}
	return line
}
