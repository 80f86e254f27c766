package version

import (
	"fmt"
	"regexp"
	"strings"
)

// cargoPattern matches the Cargo (SemVer) versions that FromCargo can convert.
var cargoPattern = regexp.MustCompile(`^(\d+\.\d+\.\d+)-(a|alpha|b|beta|rc|dev)\.?(\d+)$`)

// cargoPhases maps our phases to Cargo's, with the same mapping as maturin.
var cargoPhases = map[string]string{"a": "alpha", "b": "beta", "rc": "rc"}

// FromCargo converts a Cargo version to our syntax, with the same result as in a wheel built by maturin: 0.2.0rc1 for 0.2.0-rc.1.
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

// Cargo returns the version in Cargo's syntax, with three segments: 0.2.0-rc.1 for 0.2.0rc1. It returns "" if there is no equivalent.
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
