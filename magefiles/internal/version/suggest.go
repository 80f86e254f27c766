package version

import (
	"regexp"
	"strings"
)

// loose is what PEP 440 takes as a version before it normalises it, but for epochs: 0.2.0-beta.1, v1.0, 1.0-1, 1.0+local.
var loose = regexp.MustCompile(`(?i)^v?(\d+(?:\.\d+)*)` +
	`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?` +
	`(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?` +
	`(?:[-_.]?(dev)[-_.]?(\d*))?` +
	`(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$`)

var phases = map[string]string{"alpha": "a", "a": "a", "beta": "b", "b": "b", "c": "rc", "pre": "rc", "preview": "rc", "rc": "rc"}

// Suggest returns the spelling in the common subset that means what text means to PEP 440, without a local part; "" where
// there is none.
func Suggest(text string) string {
	m := loose.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	number := func(s string) string { return strings.TrimLeft(s[:max(0, len(s)-1)], "0") + s[max(0, len(s)-1):] }
	orZero := func(s string) string { return number(s + strings.Repeat("0", max(0, 1-len(s)))) }
	parts := strings.Split(m[1], ".")
	for i, p := range parts {
		parts[i] = number(p)
	}
	out := strings.Join(parts, ".")
	if m[2] != "" {
		out += phases[strings.ToLower(m[2])] + orZero(m[3])
	}
	switch {
	case m[4] != "":
		out += ".post" + number(m[4])
	case m[5] != "":
		out += ".post" + orZero(m[6])
	}
	if m[7] != "" {
		out += ".dev" + orZero(m[8])
	}
	if !pattern.MatchString(out) {
		return ""
	}
	return out
}

// Canonical returns the version as PEP 440 writes it, which is how it stands in the name of a wheel: without leading
// zeros. conda keeps those, so that a version with some has two names.
func (v Version) Canonical() string { return Suggest(v.text) }

// Equivalent reports whether two texts are one version to PEP 440, however they are spelled: 0.1 and 0.1.0, 1.0.0-rc.1 and
// 1.0rc1, 1.0+CU-118 and 1.0+cu.118. It is Same for the common subset, and knows epochs and local parts besides. Of texts
// that are not versions only equal ones are.
func Equivalent(a, b string) bool {
	if Same(a, b) {
		return true
	}
	epochA, publicA, localA := parts(a)
	epochB, publicB, localB := parts(b)
	return publicA != "" && epochA == epochB && localA == localB && Same(publicA, publicB)
}

// Known reports whether PEP 440 takes a text for a version.
func Known(text string) bool {
	_, public, _ := parts(text)
	return public != ""
}

var separators = strings.NewReplacer("-", ".", "_", ".")

// parts takes a version of PEP 440 apart: the epoch without zeros in front, the public part as Suggest has it, and the local
// part with dots for separators. The public part is "" where the text is not a version.
func parts(text string) (epoch, public, local string) {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "v")
	if before, after, ok := strings.Cut(text, "!"); ok {
		if strings.Trim(before, "0123456789") != "" || before == "" {
			return "", "", ""
		}
		epoch, text = strings.TrimLeft(before, "0"), after
	}
	public = Suggest(text)
	_, local, _ = strings.Cut(text, "+")
	return epoch, public, separators.Replace(local)
}
