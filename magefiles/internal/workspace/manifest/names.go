package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// CondaName returns the form in which conda names are compared: lower case. '-' and '_' are different characters.
func CondaName(name string) string { return strings.ToLower(name) }

var pypiSeparators = regexp.MustCompile(`[-_.]+`)

// PyPIName returns the form in which names of PyPI are compared (PEP 503): lower case, with one '-' for every run of
// '-', '_' and '.'.
func PyPIName(name string) string {
	if !strings.ContainsAny(name, "_.") && !strings.Contains(name, "--") {
		return strings.ToLower(name)
	}
	return strings.ToLower(pypiSeparators.ReplaceAllString(name, "-"))
}

// ListNames lists names for an error message: "there are core, extras and ui", or says that there are none.
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

// Suggest returns "did you mean ui? " when one of the names is close to what was given, else "".
func Suggest(given string, names []string) string {
	if best := Nearest(given, names); best != "" {
		return "did you mean " + best + "? "
	}
	return ""
}

// Nearest returns the name that what was given is most likely meant to be; "" where none is close.
func Nearest(given string, names []string) string {
	names = slices.Sorted(slices.Values(names))
	best, at := "", 1+min(3, (len(given)+1)/2)
	for _, n := range names {
		if d := distance(given, n); d < at {
			best, at = n, d
		}
	}
	for _, n := range names {
		// The short name of a package whose name has a prefix, such as "ui" for "acme-ui"; or half a key.
		if best == "" && given != "" && (strings.HasSuffix(n, "-"+given) || strings.HasPrefix(n, given+"-")) {
			best = n
		}
	}
	return best
}

// IsNear reports whether a name is another one, or that with a slip in it: but for case, at most two letters are others.
func IsNear(given, name string) bool { return distance(strings.ToLower(given), name) <= 2 }

// distance is the number of bytes to insert, delete or replace to make b of a.
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
