package release

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Unsent describes versions that were bumped and committed in this clone but are not tagged on the remote.
type Unsent struct {
	Tags   []string // existing tags of the versions, or the tags that they should get
	Commit string   // the tagged commit, or the commit that bumped the versions
	Tagged bool     // the tags exist in this clone

	remote, branch string
	atHead, byPull bool
}

// FindUnsent finds versions in the manifests that are tagged in this clone but not on the remote. If there are none, it finds versions that are
// bumped, but neither tagged nor pushed. It returns nil if there are none or if it cannot tell. It does not fetch.
func (r *Release) FindUnsent(ctx context.Context) *Unsent {
	w, err := workspace.Load(r.Root)
	if err != nil {
		return nil
	}
	refs, err := gitremote.Read(ctx, r.Repo, w.Config.Remote)
	if err != nil {
		return nil
	}
	head, err := r.Repo.Head(ctx)
	here, errTags := r.Repo.Tags(ctx)
	if err != nil || errTags != nil {
		return nil
	}
	u := &Unsent{remote: w.Config.Remote, byPull: w.Config.Land == settings.LandByPull}
	u.branch, _ = w.Config.ReleaseBranch(head.Branch, refs.Default)
	for _, tag := range bump.PresentTags(w) {
		at := here[tag.Name]
		if at == "" || refs.Tags[tag.Name] != "" || u.Commit != "" && u.Commit != at {
			continue
		}
		if on, err := r.Repo.Contains(ctx, head.Commit, at); !on || err != nil {
			continue
		}
		u.Tags, u.Commit, u.Tagged, u.atHead = append(u.Tags, tag.Name), at, true, at == head.Commit
	}
	if u.Tagged {
		return u
	}
	landed, err := trace.FindLanded(ctx, r.Repo, r.Store, w, r.History, refs.Tags)
	if landed == nil || err != nil {
		return nil
	}
	if out, err := r.Repo.Contains(ctx, refs.Branches[u.branch], landed.Commit); out || err != nil {
		return nil // already pushed: see Landed
	}
	u.Tags, u.Commit = landed.TagNames(), landed.Commit
	return u
}

func (u *Unsent) String() string {
	if u.Tagged {
		return fmt.Sprintf("%s is tagged in this clone (commit %.12s), but is not pushed", strings.Join(u.Tags, ", "), u.Commit)
	}
	return fmt.Sprintf("%s is in the manifests (commit %.12s), but is neither tagged nor pushed", strings.Join(u.Tags, ", "), u.Commit)
}

// Next returns the command that releases the versions.
func (u *Unsent) Next() string {
	switch {
	case !u.Tagged && u.byPull:
		return "bring the commit to " + u.branch + " by a pull request; after the merge, `git pull` and `mage release`"
	case len(u.Tags) == 1 && !u.byPull && (u.atHead || !u.Tagged):
		req := bump.Request{To: bump.VersionOf(u.Tags[0])}
		if name, _, of := strings.Cut(u.Tags[0], "/v"); of {
			req.Only = name
		}
		return "`mage release " + req.Flags() + "` checks, builds and publishes this version"
	}
	words := []string{u.remote, "HEAD:" + u.branch} // the release tags untagged versions
	if u.Tagged {
		words = append(words, u.Tags...)
	}
	return "`git push --atomic " + operr.Words(words) + "`, then `mage release`"
}
