package git

import "strings"

// Flag returns the flag of a ref line of `git push --porcelain`, or "" for any other line.
func Flag(line string) string {
	flag, rest, _ := strings.Cut(line, "\t")
	if len(flag) != 1 || !strings.Contains(rest, "\t") {
		return ""
	}
	return flag
}

// GoesWell reports whether a line of `git push --porcelain` is not about a failure.
func GoesWell(line string) bool {
	f := Flag(line)
	return f != "" && f != "!" || strings.HasPrefix(line, "To ") || line == "Done\n"
}
