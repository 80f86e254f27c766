// Package lazyregexp has regular expressions that are compiled when they are first asked for: a program that needs none of them does not
// pay for them when it starts.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns what gives the compiled expression. It panics at the first call where the text is none.
func New(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
