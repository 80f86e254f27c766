package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// CondaName returns the canonical form of a conda name: lower case, with '-' and '_' distinct.
func CondaName(name string) string { return strings.ToLower(name) }

var pypiSeparators = regexp.MustCompile(`[-_.]+`)

// PyPIName returns the canonical form of a PyPI name (PEP 503): lower case, with each run of '-', '_' and '.' replaced by one '-'.
func PyPIName(name string) string {
	if !strings.ContainsAny(name, "_.") && !strings.Contains(name, "--") {
		return strings.ToLower(name)
	}
	return strings.ToLower(pypiSeparators.ReplaceAllString(name, "-"))
}

// ListNames formats names for an error message: "there are core, extras and ui", or "there are none".
func ListNames(names []string) string {
	names = slices.Sorted(slices.Values(names))
	switch n := len(names); {
	case n == 0:
		return "there are none"
	case n == 1:
		return "there is only " + names[0]
	case n > 30:
		return "there are " + strings.Join(names[:30], ", ") + ", …"
	default:
		return "there are " + strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// Suggest returns "did you mean ui? " if a name is similar to the given text, and "" otherwise.
func Suggest(given string, names []string) string {
	if best := Nearest(given, names); best != "" {
		return "did you mean " + best + "? "
	}
	return ""
}

// Nearest returns the name that is most similar to the given text, or "" if none is close.
func Nearest(given string, names []string) string {
	names = slices.Sorted(slices.Values(names))
	best, at := "", 1+min(3, (len(given)+1)/2)
	for _, n := range names {
		if d := distance(given, n); d < at {
			best, at = n, d
		}
	}
	for _, n := range names {
		// Also match the short name of a package, such as "ui" for "acme-ui", and the first half of a key.
		if best == "" && given != "" && (strings.HasSuffix(n, "-"+given) || strings.HasPrefix(n, given+"-")) {
			best = n
		}
	}
	return best
}

// IsNear reports whether `given` equals `name` except for case and a typo of at most two letters.
func IsNear(given, name string) bool { return distance(strings.ToLower(given), name) <= 2 }

// distance returns the edit distance between a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
