// Package commits reads the commits since a tag. It determines the version change that each commit requires, the packages that it touched, and the
// effect of reverts.
//
//	commits.go   the interface to git, and the size of the bump that a commit requires
//	owners.go    mapping files to packages
//	past.go      reading and caching the history
package commits

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// History provides tags and commits, from which the size of a bump is computed.
type History interface {
	// Tags returns the commit of every tag, keyed by tag name.
	Tags(ctx context.Context) (map[string]string, error)
	// MergedTags returns the commit of every tag that is reachable from HEAD, keyed by tag name.
	MergedTags(ctx context.Context) (map[string]string, error)
	// EachCommit calls visit for each commit since a tag, or for all commits if tag is "": children before parents, and otherwise newest first.
	EachCommit(ctx context.Context, since string, visit func(Commit)) error
	// Versions returns a file's content before and after each of the commits, or nil if the file did not exist.
	Versions(ctx context.Context, commits []string, path string) (before, after [][]byte, err error)
}

// Commit is a commit in the history.
type Commit struct {
	Hash    string   `json:"hash"` // full hash, 40 or 64 hex digits
	Subject string   `json:"subject"`
	Parents []string `json:"-"`
	Body    string   `json:"-"`
	Paths   []string `json:"-"` // relative to the workspace root; other files are omitted
	Blank   bool     `json:"-"` // whether the commit changes no files

	Packages []string           `json:"-"` // packages that the commit touched
	Changes  []changelog.Change `json:"-"` // changes that require a bump
	compares bool               // whether the commit changed the root manifest, which must be compared
}

func (c Commit) isMerge() bool { return len(c.Parents) > 1 }

// Size returns the size of the bump that a commit requires, which is the maximum for its changes.
func (c Commit) Size(at version.Version) (size version.Size) {
	for _, change := range c.Changes {
		size = max(size, SizeOf(change, at))
	}
	return size
}

// SizeOf returns the size of the bump that a change requires: major for a breaking change, minor for a feat, patch for a fix, perf or revert, and
// none otherwise. Before 1.0, a breaking change requires only a minor version.
func SizeOf(change changelog.Change, at version.Version) version.Size {
	switch kind := change.Kind; {
	case change.Breaking && at.Compare(version.MustParse("1")) >= 0:
		return version.Major
	case change.Breaking, kind == "feat":
		return version.Minor
	case kind == "fix", kind == "perf", kind == "revert":
		return version.Patch
	}
	return version.None
}
