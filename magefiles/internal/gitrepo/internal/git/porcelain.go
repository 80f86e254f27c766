package git

import "strings"

// Flag is that of a line of git push --porcelain about one ref; "" for any other line.
func Flag(line string) string {
	flag, rest, _ := strings.Cut(line, "\t")
	if len(flag) != 1 || !strings.Contains(rest, "\t") {
		return ""
	}
	return flag
}

// GoesWell reports whether a line of git push --porcelain says nothing of what went wrong.
func GoesWell(line string) bool {
	f := Flag(line)
	return f != "" && f != "!" || strings.HasPrefix(line, "To ") || line == "Done\n"
}
