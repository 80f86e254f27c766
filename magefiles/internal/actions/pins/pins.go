// Package pins holds the actions that generated workflows use and that have stand-ins, each with its pinned commit and version. They are in
// pins.yml, which has the format of an action's file, so that Renovate updates it.
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

// Pin is an action, its commit, and the version of the commit, such as "v7.0.1".
type Pin struct{ Action, Commit, Version string }

// Use returns the text after `uses:`, with the comment.
func (p Pin) Use() string { return p.Action + "@" + p.Commit + " # " + p.Version }

// `all` holds the pins, by the lower-case name of the action.
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

// Find returns the pin of an action, whose name GitHub compares without case; ok is false if there is none.
func Find(action string) (p Pin, ok bool) {
	p, ok = all()[strings.ToLower(action)]
	return p, ok
}
