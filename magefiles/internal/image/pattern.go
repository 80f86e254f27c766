package image

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first asked. A program that builds no image pays for none of them.
type pattern struct{ compiled func() *regexp.Regexp }

func lazily(text string) pattern {
	return pattern{compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

func (p pattern) MatchString(s string) bool            { return p.compiled().MatchString(s) }
func (p pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }
func (p pattern) FindStringSubmatchIndex(s string) []int {
	return p.compiled().FindStringSubmatchIndex(s)
}
func (p pattern) FindAllString(s string, n int) []string { return p.compiled().FindAllString(s, n) }
func (p pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.compiled().FindAllStringSubmatch(s, n)
}

func (p pattern) Split(s string, n int) []string { return p.compiled().Split(s, n) }

func (p pattern) ReplaceAllString(s, with string) string {
	return p.compiled().ReplaceAllString(s, with)
}

func (p pattern) expand(template, s string, match []int) string {
	return string(p.compiled().ExpandString(nil, template, s, match))
}
