package condapkg

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// MatchSpec is a conda match spec, what an entry of depends is, as far as two of them are compared: "a-package >=1,<2 py*".
type MatchSpec struct {
	Name    string // lower-cased; "" where the text begins with none
	Version string // as NormalizeVersion writes it; "" for any
	Build   string // "" for any
}

func (m MatchSpec) String() string {
	return strings.Join(strings.Fields(m.Name+" "+m.Version+" "+m.Build), " ")
}

// joint is what holds the parts of a version constraint together.
var joint = regexp.MustCompile(`\s*([,|])\s*`)

// Same reports whether two specs ask for the same: the order of a constraint's parts does not count.
func (m MatchSpec) Same(o MatchSpec) bool {
	return m.Name == o.Name && m.Build == o.Build && sortVersion(m.Version) == sortVersion(o.Version)
}

var specName = regexp.MustCompile(`^[A-Za-z0-9._-]+`)

// ParseMatchSpec reads what stands in the depends of an index.json: "numpy >=1", "numpy>=1", "conda-forge::numpy[version='>=1']".
// Its version is normalised; of the selectors in brackets only version and build count, and a channel in front and a
// condition behind do not.
func ParseMatchSpec(s string) MatchSpec {
	s, _, _ = strings.Cut(s, ";") // a condition of repodata v3
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

// selectors are the key="value" pairs of a match spec's brackets.
func selectors(s string) map[string]string {
	found := map[string]string{}
	for _, m := range selector().FindAllStringSubmatch(s, -1) {
		found[m[1]] = m[2] + m[3] + strings.TrimSpace(m[4])
	}
	return found
}

// NormalizeVersion brings the spellings of one version constraint together, and writes it as rattler does: "1.2" and
// " == 1.2" as "==1.2"; "=1.2" and "1.2*" as "1.2.*", ">=2024.06" as ">=2024.6". Any version is "". A constraint with parentheses only loses its
// blanks.
func NormalizeVersion(s string) string {
	return eachPart(s, normalizePart, func([]string) {})
}

// sortVersion brings a normalised constraint into an order that depends only on its parts.
func sortVersion(s string) string {
	return eachPart(s, func(part string) string { return part }, func(parts []string) { slices.Sort(parts) })
}

// eachPart applies f to every operator with its version, and order to the parts of an alternative and to those.
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

// normalizePart does so for one operator and its version, as rattler prints them.
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

// zeros are those that begin a number.
var zeros = regexp.MustCompile(`(^|\D)0+(\d)`)

// spellVersion writes a version as rattler does: in lower case, and its numbers without zeros in front: 2024.6.1 for 2024.06.1.
func spellVersion(version string) string {
	return zeros.ReplaceAllString(strings.ToLower(version), "$1$2")
}
