package bumping

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// History is nil outside of git, and not a nil *gitrepo.Repo.
func (b *Bumper) History() bump.History {
	if b.Repo == nil {
		return nil
	}
	return history{Repo: b.Repo, prefix: b.Store.Prefix}
}

// history gives package bump the commits of a repository, as it wants them.
type history struct {
	*gitrepo.Repo
	prefix string
}

// HistoryOf is the history of a workspace that lies where its repository was opened.
func HistoryOf(repo *gitrepo.Repo) bump.History { return history{Repo: repo, prefix: repo.Prefix} }

// Log implements bump.History.
func (h history) Log(ctx context.Context, since string) ([]bump.Commit, error) {
	commits, err := h.Repo.Log(ctx, since)
	out := make([]bump.Commit, len(commits))
	for i, c := range commits {
		out[i] = bump.Commit{Hash: c.Hash[:min(len(c.Hash), 7)], Subject: c.Subject, Body: c.Body}
		for _, p := range c.Paths {
			if rel, inside := strings.CutPrefix("/"+p, strings.TrimSuffix("/"+h.prefix, "/")+"/"); inside {
				out[i].Paths = append(out[i].Paths, rel)
			}
		}
	}
	return out, err
}
