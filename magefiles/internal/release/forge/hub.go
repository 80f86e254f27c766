// Package forge knows the servers that keep a repository and run its CI, as far as a release has to do with them.
//
//	hub.go       GitHub, which can be asked: what is there of a release, and by which workflow
//	forge.go     all of them by their files: what is said of a CI that publishes, and where a person looks for it
//	proposal.go  the pull request of a release: its branch, and that it is undone
package forge

import "github.com/foopack/foopack/magefiles/internal/github"

// What the workflow that publishes is called, the one that proposes releases by pull requests, the environment of the job that uploads, and what it keeps of
// `mage publish -json`.
const (
	Workflow    = "release.yml"
	Proposing   = "release-pr.yml"
	Environment = "release"
	Recording   = "publish-result"
)

// Hub is GitHub, as far as it can be reached.
type Hub struct {
	Repository string         // "owner/name"; "" where the remote is not on GitHub
	Client     *github.Client // nil without a repository
	Token      bool           // whether the client has one
}

// Refuse says why no release is made on GitHub; "" where one is.
func (h Hub) Refuse() string {
	switch {
	case h.Client == nil:
		return "the remote is not on GitHub"
	case !h.Token:
		return "there is no GITHUB_TOKEN (a run with one makes it)"
	}
	return ""
}

// Query is for the runs that publish a commit.
func Query(commit string) github.Query {
	return github.Query{Commit: commit, Workflow: Workflow}
}
