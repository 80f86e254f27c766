package ciwrite

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff returns the diff between two versions of a file, for `git apply`, or "" if they are equal. Line endings are ignored.
func Diff(name, old, next string) string {
	lines := func(text string) []byte { return []byte(strings.ReplaceAll(text, "\r\n", "\n")) }
	_, text, _ := bytes.Cut(diff.Diff("a/"+name, lines(old), "b/"+name, lines(next)), []byte("\n")) // the first line is the diff command
	return string(text)
}
