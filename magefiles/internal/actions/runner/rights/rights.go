// Package rights computes the permissions of a job's token.
package rights

import (
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// Grant maps a permission of a job's token to read or write. A missing permission means none.
type Grant map[string]string

// `names` lists the permissions that read-all and write-all grant.
var names = []string{
	"actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models", "packages",
	"pages", "pull-requests", "repository-projects", "security-events", "statuses",
}

// Restricted is GitHub's default grant for a file without permissions, in repositories created since February 2023.
var Restricted = Grant{
	"contents": "read",
	"packages": "read",
}

// Of returns the grant for a job's permissions, or for its workflow's permissions, or `caller` if neither is set.
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

// set adds a permission. GitHub has no level "read" for id-token, which is then skipped, and no level "write" for models, which is then reduced to
// "read".
func (g Grant) set(right, level string) {
	switch {
	case level == "none", right == "id-token" && level == "read":
		return
	case right == "models":
		level = "read"
	}
	g[right] = level
}

// OfFork returns the part of a grant that applies to a pull request from a fork: no write permission, and no ID token.
func (g Grant) OfFork() Grant {
	less := Grant{}
	for right := range g {
		less.set(right, "read")
	}
	return less
}

// Writes reports whether the grant has a write permission.
func (g Grant) Writes(right string) bool { return g[right] == "write" }

// Beyond returns the permissions, as "packages: write", that g has but the caller of the workflow does not.
func (g Grant) Beyond(caller Grant) (more []string) {
	for _, right := range slices.Sorted(maps.Keys(g)) {
		if g[right] == "write" && caller[right] != "write" || caller[right] == "" {
			more = append(more, right+": "+g[right])
		}
	}
	return more
}

// String formats the grant on one line: "contents: read, id-token: write".
func (g Grant) String() string {
	if len(g) == 0 {
		return "none"
	}
	return strings.Join(g.Beyond(nil), ", ")
}
