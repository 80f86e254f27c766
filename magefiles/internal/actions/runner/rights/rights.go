// Package rights says what the token of a job may do.
package rights

import (
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// Grant is what the token of a job may do: read or write, by the name of the right. A right that is not there is none.
type Grant map[string]string

// names are those of the rights that read-all and write-all give.
var names = []string{
	"actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models", "packages",
	"pages", "pull-requests", "repository-projects", "security-events", "statuses",
}

// Restricted is what GitHub gives where a file says nothing of permissions, in repositories made since February 2023.
var Restricted = Grant{
	"contents": "read",
	"packages": "read",
}

// Of reads what a job says, or its workflow; caller is what it has where they say nothing.
func Of(p file.Permissions, caller Grant) Grant {
	if p == nil {
		return maps.Clone(caller)
	}
	g := Grant{}
	for right, level := range p {
		if right != "*" {
			g.set(right, level)
			continue
		}
		for _, r := range names {
			g.set(r, level)
		}
	}
	return g
}

// set gives a right its level. There is no ID token to read, and no model to write.
func (g Grant) set(right, level string) {
	switch {
	case level == "none", right == "id-token" && level == "read":
		return
	case right == "models":
		level = "read"
	}
	g[right] = level
}

// OfFork is what is left of a grant where a pull request comes from a fork: nothing is written, and nobody is vouched for.
func (g Grant) OfFork() Grant {
	less := Grant{}
	for right := range g {
		less.set(right, "read")
	}
	return less
}

// Writes reports whether a right is there to write.
func (g Grant) Writes(right string) bool { return g[right] == "write" }

// Beyond are the rights, as "packages: write", that g has and the caller of a workflow has not.
func (g Grant) Beyond(caller Grant) (more []string) {
	for _, right := range slices.Sorted(maps.Keys(g)) {
		if g[right] == "write" && caller[right] != "write" || caller[right] == "" {
			more = append(more, right+": "+g[right])
		}
	}
	return more
}

// String is the grant in one line, for people: "contents: read, id-token: write".
func (g Grant) String() string {
	if len(g) == 0 {
		return "none"
	}
	return strings.Join(g.Beyond(nil), ", ")
}
