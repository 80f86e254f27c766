package versionfile

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

var literalPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^__version__(?:[ \t]*:[ \t]*[A-Za-z_.]+)?[ \t]*=[ \t]*(?:"([^"\\\n]*)"|'([^'\\\n]*)')[ \t]*(?:[;#\r\n]|$)`)
})

// FindLiteral returns the version that a Python file assigns to __version__.
func FindLiteral(file string, src []byte) (manifest.Version, bool) {
	start, end, ok := literalVersion(src)
	if !ok {
		return manifest.Version{}, false
	}
	return textVersion(file, src, start, end, manifest.VersionLiteral, ""), true
}

// literalVersion finds __version__ = "…" at the beginning of a line, outside of strings and brackets. A file that assigns
// it more than once, or something that is no version, has none.
func literalVersion(src []byte) (start, end int, ok bool) {
	if !bytes.Contains(src, []byte("__version__")) {
		return 0, 0, false
	}
	found := 0
	for i := range statements(src) {
		if !bytes.HasPrefix(src[i:], []byte("__version__")) {
			continue
		}
		found++
		if m := literalPattern().FindSubmatchIndex(src[i:]); m != nil {
			start, end, ok = i+max(m[2], m[4]), i+max(m[3], m[5]), true
		}
	}
	if !ok || found != 1 {
		return 0, 0, false
	}
	text := string(src[start:end])
	_, err := version.Parse(text)
	return start, end, err == nil || version.Suggest(text) != ""
}

// statements yields the offsets of the lines of a Python file that begin outside of strings and brackets.
func statements(src []byte) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		depth, shift := 0, len(src)
		src := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
		shift -= len(src)
		for i := 0; i < len(src); {
			if depth == 0 && (i == 0 || src[i-1] == '\n') && !yield(shift+i) {
				return
			}
			switch c := src[i]; c {
			case '#':
				i += lineLength(src[i:])
				continue
			case '"', '\'':
				i += stringLength(src[i:])
				continue
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(0, depth-1)
			case '\\':
				i++
			}
			i++
		}
	}
}

func lineLength(src []byte) int {
	if n := bytes.IndexByte(src, '\n'); n >= 0 {
		return n
	}
	return len(src)
}

// stringLength is the length of the string that src begins with, quotes included.
func stringLength(src []byte) int {
	quote := src[:1]
	if len(src) >= 3 && src[1] == src[0] && src[2] == src[0] {
		quote = src[:3]
	}
	for i := len(quote); i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case bytes.HasPrefix(src[i:], quote):
			return i + len(quote)
		case src[i] == '\n' && len(quote) == 1:
			return i // an error in Python
		}
	}
	return len(src)
}
