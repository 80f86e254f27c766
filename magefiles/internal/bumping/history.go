package bumping

import (
	"context"
	"path"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// History returns the repository's history. Outside a git repository it returns a nil interface, not a nil *gitrepo.Repo.
func (b *Bumper) History() bump.History {
	if b.Repo == nil {
		return nil
	}
	return history{Repo: b.Repo, prefix: b.Store.Prefix}
}

// history adapts a repository to bump.History. It converts paths to the workspace root.
type history struct {
	*gitrepo.Repo
	prefix string
}

// HistoryOf returns the history for a workspace in the folder from which its repository was opened.
func HistoryOf(repo *gitrepo.Repo) bump.History { return history{Repo: repo, prefix: repo.Prefix} }

// EachCommit implements bump.History.
func (h history) EachCommit(ctx context.Context, since string, visit func(bump.Commit)) error {
	inside := strings.TrimSuffix("/"+h.prefix, "/") + "/"
	return h.Repo.EachCommit(ctx, since, func(c gitrepo.Commit) {
		one := bump.Commit{Hash: c.Hash, Parents: c.Parents, Subject: c.Subject, Body: c.Body, Blank: len(c.Paths) == 0 && len(c.Parents) < 2}
		for _, p := range c.Paths {
			if rel, ok := strings.CutPrefix("/"+p, inside); ok {
				one.Paths = append(one.Paths, rel)
			}
		}
		visit(one)
	})
}

// Versions implements bump.History.
func (h history) Versions(ctx context.Context, commits []string, file string) (before, after [][]byte, err error) {
	return h.Repo.Versions(ctx, commits, path.Join(h.prefix, file))
}
