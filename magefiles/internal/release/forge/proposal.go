package forge

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// BranchOf is the branch that the pull request of a release for a base comes from.
func BranchOf(base string) string { return "foopack/release-" + base }

// undone is the first line of a pull request whose release was taken back once it was tagged.
const undone = "**Undone.** `mage undo` has taken the tag away, and no job sets it again while this line is here."

// MarkUndone is the text of a pull request with the line by which jobs leave alone what it has landed.
func MarkUndone(body string) string {
	if IsUndone(body) {
		return body
	}
	return undone + "\n\n" + body
}

// IsUndone reports whether a text has that line.
func IsUndone(body string) bool { return strings.HasPrefix(strings.TrimSpace(body), undone) }

// Landing is the pull request of ours to a base that became a commit there; nil where none did.
func Landing(pulls []github.Pull, base, commit string) *github.Pull {
	for _, p := range pulls {
		if p.Merged && p.Base == base && p.Became == commit {
			return &p
		}
	}
	return nil
}
