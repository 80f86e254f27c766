package version

import (
	"regexp"
	"strings"
)

// loose matches versions that PEP 440 accepts and normalizes, except those with epochs: 0.2.0-beta.1, v1.0, 1.0-1, 1.0+local.
var loose = regexp.MustCompile(`(?i)^v?(\d+(?:\.\d+)*)` +
	`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?` +
	`(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?` +
	`(?:[-_.]?(dev)[-_.]?(\d*))?` +
	`(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$`)

var phases = map[string]string{"alpha": "a", "a": "a", "beta": "b", "b": "b", "c": "rc", "pre": "rc", "preview": "rc", "rc": "rc"}

// Suggest returns the equivalent of text in the common subset according to PEP 440, without a local part, or "" if there is none.
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

// Canonical returns the version in PEP 440's normalized form, as in the file name of a wheel, without leading zeros. conda keeps leading zeros,
// so versions with leading zeros have two names.
func (v Version) Canonical() string { return Suggest(v.text) }

// Equivalent reports whether two texts are the same version according to PEP 440: 0.1 and 0.1.0, 1.0.0-rc.1 and 1.0rc1, 1.0+CU-118 and
// 1.0+cu.118. Within the common subset, it equals Same. Epochs and local parts are compared. Texts that are not versions must be identical.
func Equivalent(a, b string) bool {
	if Same(a, b) {
		return true
	}
	epochA, publicA, localA := parts(a)
	epochB, publicB, localB := parts(b)
	return publicA != "" && epochA == epochB && localA == localB && Same(publicA, publicB)
}

// Known reports whether text is a valid PEP 440 version.
func Known(text string) bool {
	_, public, _ := parts(text)
	return public != ""
}

var separators = strings.NewReplacer("-", ".", "_", ".")

// `parts` splits a PEP 440 version into the epoch without leading zeros, the public part as returned by Suggest, and the local part separated by
// dots. The public part is "" if text is not a version.
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
