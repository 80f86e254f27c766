package image

import (
	"regexp"
	"sync"
)

// lazily is a regular expression that is compiled when it is first asked for: a program that builds no image pays for none of them.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
