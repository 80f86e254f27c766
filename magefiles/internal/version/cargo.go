package version

import (
	"fmt"
	"regexp"
	"strings"
)

// cargoPattern is a version of Cargo, which is one of SemVer, as far as it has a meaning here.
var cargoPattern = regexp.MustCompile(`^(\d+\.\d+\.\d+)-(a|alpha|b|beta|rc|dev)\.?(\d+)$`)

// cargoPhases are the words that Cargo.toml has for ours, as maturin reads them.
var cargoPhases = map[string]string{"a": "alpha", "b": "beta", "rc": "rc"}

// FromCargo is a version of a Cargo.toml in our spelling, as maturin gives it to a wheel: 0.2.0rc1 for 0.2.0-rc.1.
func FromCargo(text string) string {
	m := cargoPattern.FindStringSubmatch(text)
	switch {
	case m == nil:
		return text
	case m[2] == "dev":
		return m[1] + ".dev" + m[3]
	case m[2] == "rc":
		return m[1] + "rc" + m[3]
	}
	return m[1] + m[2][:1] + m[3]
}

// Cargo is the version as a Cargo.toml has it: of three segments, 0.2.0-rc.1 for 0.2.0rc1. It is "" where Cargo has no such version.
func (v Version) Cargo() string {
	if len(v.release) > 3 || v.post > 0 || v.phase != "" && v.dev > 0 {
		return ""
	}
	segments := make([]string, 3)
	for i := range segments {
		segments[i] = fmt.Sprint(segment(v.release, i))
	}
	text := strings.Join(segments, ".")
	switch {
	case v.phase != "":
		return fmt.Sprintf("%s-%s.%d", text, cargoPhases[v.phase], v.pre)
	case v.dev > 0:
		return fmt.Sprintf("%s-dev.%d", text, v.dev-1)
	}
	return text
}
