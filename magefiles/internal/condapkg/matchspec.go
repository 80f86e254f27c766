package condapkg

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// MatchSpec contains the compared parts of a conda match spec, such as "a-package >=1,<2 py*" in depends.
type MatchSpec struct {
	Name    string // in lower case; "" if the text does not start with a name
	Version string // normalized with NormalizeVersion; "" for any
	Build   string // "" for any
}

func (m MatchSpec) String() string {
	return strings.Join(strings.Fields(m.Name+" "+m.Version+" "+m.Build), " ")
}

// joint matches a separator in a version constraint.
var joint = regexp.MustCompile(`\s*([,|])\s*`)

// Same reports whether two specs are equivalent, ignoring the order of a constraint's parts.
func (m MatchSpec) Same(o MatchSpec) bool {
	return m.Name == o.Name && m.Build == o.Build && sortVersion(m.Version) == sortVersion(o.Version)
}

var specName = regexp.MustCompile(`^[A-Za-z0-9._-]+`)

// ParseMatchSpec parses an entry of depends: "numpy >=1", "numpy>=1", "conda-forge::numpy[version='>=1']". It normalizes the version. It ignores
// the channel, selectors in brackets other than version and build, and a condition after the spec.
func ParseMatchSpec(s string) MatchSpec {
	s, _, _ = strings.Cut(s, ";") // removes a condition (repodata v3)
	if i := strings.LastIndex(s, "::"); i >= 0 {
		s = s[i+2:]
	}
	s, brackets, _ := strings.Cut(s, "[")
	s = strings.TrimSpace(s)
	m := MatchSpec{Name: strings.ToLower(specName.FindString(s))}
	version, build, _ := strings.Cut(strings.TrimSpace(joint.ReplaceAllString(s[len(m.Name):], "$1")), " ")
	m.Version, m.Build = NormalizeVersion(version), strings.TrimSpace(build)
	for key, value := range selectors(brackets) {
		switch key {
		case "version":
			m.Version = NormalizeVersion(value)
		case "build":
			m.Build = value
		}
	}
	return m
}

var selector = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([a-z_0-9]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^,\]]*))`)
})

// selectors returns the key="value" pairs in a match spec's brackets.
func selectors(s string) map[string]string {
	found := map[string]string{}
	for _, m := range selector().FindAllStringSubmatch(s, -1) {
		found[m[1]] = m[2] + m[3] + strings.TrimSpace(m[4])
	}
	return found
}

// NormalizeVersion converts a version constraint to rattler's spelling: "1.2" and " == 1.2" to "==1.2", "=1.2" and "1.2*" to "1.2.*", ">=2024.06"
// to ">=2024.6". Any version is "". In a constraint with parentheses, it only removes blanks.
func NormalizeVersion(s string) string {
	return eachPart(s, normalizePart, func([]string) {})
}

// sortVersion sorts the parts of a normalized constraint.
func sortVersion(s string) string {
	return eachPart(s, func(part string) string { return part }, func(parts []string) { slices.Sort(parts) })
}

// eachPart applies `f` to each operator with its version, and `order` to the parts of each alternative and to the list of alternatives.
func eachPart(s string, f func(string) string, order func([]string)) string {
	s = strings.Join(strings.Fields(s), "")
	if strings.ContainsAny(s, "()") {
		return s
	}
	alternatives := strings.Split(s, "|")
	for i, alternative := range alternatives {
		parts := strings.Split(alternative, ",")
		for j, part := range parts {
			parts[j] = f(part)
		}
		order(parts)
		alternatives[i] = strings.Join(slices.Compact(parts), ",")
	}
	order(alternatives)
	return strings.Join(slices.Compact(alternatives), "|")
}

var operator = regexp.MustCompile(`^(===|==|!=|~=|>=|<=|=|>|<)?(.*)$`)

// normalizePart normalizes an operator with its version, like rattler.
func normalizePart(part string) string {
	if part == "*" || part == "" {
		return ""
	}
	m := operator.FindStringSubmatch(part)
	op, version := m[1], spellVersion(m[2])
	prefix, isPrefix := strings.CutSuffix(version, "*")
	prefix = strings.TrimSuffix(prefix, ".")
	switch {
	case op == "=" && !isPrefix:
		return version + ".*"
	case isPrefix && (op == "" || op == "=" || op == "=="):
		return prefix + ".*"
	case isPrefix && op != "!=":
		return op + prefix
	case op == "" || op == "===":
		return "==" + version
	}
	return op + version
}

// zeros matches a number's leading zeros.
var zeros = regexp.MustCompile(`(^|\D)0+(\d)`)

// spellVersion returns a version in rattler's spelling: in lower case and without leading zeros, such as 2024.6.1 for 2024.06.1.
func spellVersion(version string) string {
	return zeros.ReplaceAllString(strings.ToLower(version), "$1$2")
}
