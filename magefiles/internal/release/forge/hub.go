// Package forge handles the servers that host a repository and run its CI, as far as a release needs them.
//
//	hub.go       GitHub, whose API can be queried for releases and runs
//	forge.go     all kinds of servers, whose CI files show whether and how the CI publishes
//	proposal.go  the pull request of a release: its branch, and its mark after an undo
package forge

import "github.com/foopack/foopack/magefiles/internal/github"

// Names of the workflow file that publishes, the workflow file that proposes releases, the upload job's environment, and the artifact that contains
// the output of `mage publish -json`.
const (
	Workflow    = "release.yml"
	Proposing   = "release-pr.yml"
	Environment = "release"
	Recording   = "publish-result"
)

// Hub is the repository on GitHub, and the access to it.
type Hub struct {
	Repository string         // "owner/name"; "" if the remote is not on GitHub
	Client     *github.Client // nil if there is no repository
	Token      bool           // whether the client has a token
}

// Refuse returns the reason why no GitHub release can be made, or "".
func (h Hub) Refuse() string {
	switch {
	case h.Client == nil:
		return "the remote is not on GitHub"
	case !h.Token:
		return "there is no GITHUB_TOKEN (a run with one makes it)"
	}
	return ""
}

// Query returns a query for the publishing workflow's runs at a commit.
func Query(commit string) github.Query {
	return github.Query{Commit: commit, Workflow: Workflow}
}
