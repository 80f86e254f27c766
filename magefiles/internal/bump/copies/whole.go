package copies

import (
	"regexp"
	"strings"
)

// tail is what makes another version of one that stands before it.
var tail = regexp.MustCompile(`^(?:[0-9A-Za-z_]|\.[0-9A-Za-z]|\+[0-9A-Za-z]|-(?:a|b|c|rc|alpha|beta|dev|pre|preview|post|snapshot|nightly)(?:[.\-]?\d+)?(?:[^A-Za-z0-9]|$))`)

// findWhole finds the places where a text has a version by itself: 0.1.0 is in v0.1.0 and in core-0.1.0.tar.gz, and not in 10.1.0, 0.1.0.1 or
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

// isWordByte reports whether a byte before a version makes it a part of something longer.
func isWordByte(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// fileEnds are the ends of names of files, which a version may stand before.
var fileEnds = regexp.MustCompile(`^\.(?:tar|tgz|zip|whl|conda|exe|dmg|msi|deb|rpm|json|ya?ml|md|rst|txt|html?|svg|png|sh|py)\b`)

func isFileEnd(rest string) bool { return fileEnds.MatchString(rest) }
