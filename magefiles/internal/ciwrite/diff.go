package ciwrite

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff is the difference of two texts of a file, as `git apply` takes it; "" where there is none. Ends of lines do not differ.
func Diff(name, old, next string) string {
	lines := func(text string) []byte { return []byte(strings.ReplaceAll(text, "\r\n", "\n")) }
	_, text, _ := bytes.Cut(diff.Diff("a/"+name, lines(old), "b/"+name, lines(next)), []byte("\n")) // it begins with the command
	return string(text)
}
