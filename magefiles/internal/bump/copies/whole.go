package copies

import (
	"regexp"
	"strings"
)

// tail matches text that extends the version before it to a different version.
var tail = regexp.MustCompile(`^(?:[0-9A-Za-z_]|\.[0-9A-Za-z]|\+[0-9A-Za-z]|-(?:a|b|c|rc|alpha|beta|dev|pre|preview|post|snapshot|nightly)(?:[.\-]?\d+)?(?:[^A-Za-z0-9]|$))`)

// findWhole returns the offsets of whole occurrences of a version. 0.1.0 occurs in v0.1.0 and core-0.1.0.tar.gz, but not in 10.1.0, 0.1.0.1 or
// 0.1.0rc1.
func findWhole(text, version string) (at []int) {
	for from := 0; ; {
		i := strings.Index(text[from:], version)
		if i < 0 {
			return at
		}
		i += from
		from = i + len(version)
		before := text[:i]
		if b := strings.TrimSuffix(strings.TrimSuffix(before, "v"), "V"); len(b) < len(before) && (b == "" || !isWordByte(b[len(b)-1])) {
			before = "" // v0.1.0
		}
		if before != "" && isWordByte(before[len(before)-1]) {
			continue
		}
		rest := text[from:]
		if tail.MatchString(rest) && !isFileEnd(rest) {
			continue
		}
		at = append(at, i)
	}
}

// isWordByte reports whether a byte before a version makes it part of a longer word or number.
func isWordByte(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// fileEnds matches file extensions, which may follow a version.
var fileEnds = regexp.MustCompile(`^\.(?:tar|tgz|zip|whl|conda|exe|dmg|msi|deb|rpm|json|ya?ml|md|rst|txt|html?|svg|png|sh|py)\b`)

func isFileEnd(rest string) bool { return fileEnds.MatchString(rest) }
