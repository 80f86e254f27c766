// Package pins has the actions that workflows are written with and that have stand-ins, each by its commit and the version of that: pins.yml, which
// has the form of an action's file, so that Renovate raises its lines.
package pins

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

//go:embed pins.yml
var list string

var line = lazyregexp.New(`(?m)^\s+- uses: (\S+)@([0-9a-f]{40}) # (v\S+)$`)

// Pin is an action, its commit, and the version of that, such as "v7.0.1".
type Pin struct{ Action, Commit, Version string }

// Use is what stands behind `uses:`, with the comment.
func (p Pin) Use() string { return p.Action + "@" + p.Commit + " # " + p.Version }

// all are the pins, by the lower-case name of the action.
var all = sync.OnceValue(func() map[string]Pin {
	m := map[string]Pin{}
	for _, of := range line().FindAllStringSubmatch(list, -1) {
		m[strings.ToLower(of[1])] = Pin{
			Action:  of[1],
			Commit:  of[2],
			Version: of[3],
		}
	}
	return m
})

// Of is the pin of an action, which GitHub compares without case; ok is false where there is none.
func Of(action string) (p Pin, ok bool) {
	p, ok = all()[strings.ToLower(action)]
	return p, ok
}
