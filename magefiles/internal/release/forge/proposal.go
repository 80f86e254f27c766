package forge

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// BranchOf returns the source branch of a pull request that proposes a release on a base branch.
func BranchOf(base string) string { return "foopack/release-" + base }

// undone becomes the first line of a pull request if its release is undone after it was tagged.
const undone = "**Undone.** `mage undo` has taken the tag away, and no job sets it again while this line is here."

// MarkUndone adds the line `undone` at the top of a pull request's text. Jobs do not tag the versions of such a pull request.
func MarkUndone(body string) string {
	if IsUndone(body) {
		return body
	}
	return undone + "\n\n" + body
}

// IsUndone reports whether a text starts with the line `undone`.
func IsUndone(body string) bool { return strings.HasPrefix(strings.TrimSpace(body), undone) }

// Landing returns the release pull request that was merged into base as the given commit; nil if there is none.
func Landing(pulls []github.Pull, base, commit string) *github.Pull {
	for _, p := range pulls {
		if p.Merged && p.Base == base && p.Became == commit {
			return &p
		}
	}
	return nil
}
