package bump

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// History is what is asked of git to size a bump.
type History interface {
	// Tags returns the commit of every tag, by the tag's name.
	Tags(ctx context.Context) (map[string]string, error)
	// MergedTags returns the commit of every tag that HEAD contains, by the tag's name.
	MergedTags(ctx context.Context) (map[string]string, error)
	// EachCommit gives visit the commits that HEAD has and a tag has not, each before its parents and else the newest first; all for "".
	EachCommit(ctx context.Context, since string, visit func(Commit)) error
	// Versions returns what a file was before each of some commits, and after it. One that was not there has no bytes.
	Versions(ctx context.Context, commits []string, path string) (before, after [][]byte, err error)
}

// Commit is one commit of the history.
type Commit struct {
	Hash    string   `json:"hash"` // abbreviated in a plan
	Subject string   `json:"subject"`
	Parents []string `json:"-"`
	Body    string   `json:"-"`
	Paths   []string `json:"-"` // relative to the workspace's root; what lies outside of it is left out
	Blank   bool     `json:"-"` // it changes nothing at all

	packages []string           // that it touched
	changes  []changelog.Change // that ask for something
	full     string             // the whole hash of one whose root manifest has to be compared; "" else
}

// shortHash is as much of a hash as people are shown.
const shortHash = 7

func (c Commit) isMerge() bool { return len(c.Parents) > 1 }

// size is what a commit asks for: the most of what its changes do.
func (c Commit) size(at version.Version) (size version.Size) {
	for _, change := range c.changes {
		size = max(size, sizeOf(change, at))
	}
	return size
}

// sizeOf is what a change asks for: something breaking a major version, a feat a minor one, a fix, perf or revert a patch,
// and anything else nothing. What is breaking before 1.0 is a minor version.
func sizeOf(change changelog.Change, at version.Version) version.Size {
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
