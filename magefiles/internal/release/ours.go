package release

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Released reports whether the journal knows a commit as the one that is released: as it was made, or as it was found after
// people had put others on top of it, or below.
func (p *Past) Released(commit string) bool {
	return commit != "" && slices.Contains(p.commits(), commit)
}

// commits are all that the journal has recorded as the one that is released.
func (p *Past) commits() (all []string) {
	for _, rec := range p.Records {
		var c Commit
		if rec.Step == StepCommit && json.Unmarshal(rec.Result, &c) == nil && c.Hash != "" {
			all = append(all, c.Hash)
		}
	}
	return all
}

// ours reports whether a tag of this release that names a commit was made by it. Somebody else may have released the same version
// from the same base. Without a journal, tags are all that is known of a release.
func (r *Release) ours(commit string) bool {
	return r.past == nil || r.past.Released(commit) || r.commit != nil && r.commit.Known() && r.commit.Get().Hash == commit
}

// ownTags are the plan's tags that this clone has, and that this release made. Where it has no commit of its own, only its journal
// tells them from such as were at that commit before.
func (r *Release) ownTags(ctx context.Context) (own []string, err error) {
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range r.plan.Tags {
		if at := tags[t]; at != "" && r.ours(at) && (!r.plan.Bump.Empty() || r.past == nil || r.past.began(StepTag)) {
			own = append(own, t)
		}
	}
	return own, nil
}

// sent reports whether the tags on the remote may be those of this release, which has no commit of its own: its journal comes
// to the push, and the clone's tags are the same objects. Somebody else may have released the same version of the same commit.
func (r *Release) sent(ctx context.Context, refs gitremote.Refs) (bool, error) {
	if !r.plan.Bump.Empty() || r.past == nil {
		return true, nil
	}
	if !r.past.began(StepPush) && !r.past.Did(StepPush) {
		return false, nil
	}
	for _, t := range r.plan.Tags {
		if other, err := gitremote.OtherTag(ctx, r.Repo, refs, t); other || err != nil {
			return false, err
		}
	}
	return true, nil
}

// releaseCommit is the commit that the release made, on the first parents of another one; "" where it is not there. It is the
// one that took the packages to their versions, wherever it lies: who pulls with --rebase has commits of others below it, and
// it has another name then.
func (r *Release) releaseCommit(ctx context.Context, head string) (string, error) {
	w, err := r.Store.At(ctx, r.Repo, head)
	if err != nil {
		return "", err
	}
	for _, pkg := range r.stillAt(w) {
		made, err := r.Store.Made(ctx, r.Repo, head, bump.TagOf(w, pkg))
		if err != nil {
			return "", err
		}
		if made.Commit == "" {
			continue // no line of a manifest has its version
		}
		before, err := r.Repo.Contains(ctx, r.plan.Base, made.Commit)
		if err != nil || !before {
			return made.Commit, err
		}
	}
	var paths []string
	for _, f := range r.plan.Bump.Files {
		paths = append(paths, r.Store.PathOf(f.Path))
	}
	return r.Repo.MadeOn(ctx, r.plan.Base, head, paths)
}

// stillAt are the packages that the release moved, and that are in a workspace at the versions that it gave them.
func (r *Release) stillAt(w *workspace.Workspace) (all []*workspace.Package) {
	if w == nil {
		return nil
	}
	for _, m := range r.plan.Bump.Packages {
		if pkg, err := w.Package(m.Name); m.In == "" && err == nil && version.Same(pkg.Version.Text, m.New) {
			all = append(all, pkg)
		}
	}
	return all
}

// onItsBranch refuses to look for a release's commit on another branch than it was made on, where that one has commits since.
// What is checked out would be taken for it, or it would be said that nothing was done.
func (r *Release) onItsBranch(ctx context.Context) error {
	p := r.plan
	head, err := r.Repo.Head(ctx)
	if err != nil || head.Branch == p.Branch || p.Bump.Empty() {
		return err
	}
	there, err := r.Repo.Resolve(ctx, "refs/heads/"+p.Branch)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return nil // the clone has no such branch: it was never made here
	}
	if err != nil || there == p.Base {
		return err
	}
	on, err := r.Repo.Contains(ctx, there, p.Base)
	if err != nil || !on {
		return err
	}
	return operr.NewStopped("`git switch "+p.Branch+"`, and run it again", "the release of %s was begun on the branch %s, which has commits since, and another one is checked out; nothing was changed", p.Title, p.Branch)
}

// has reports whether the remote's branch has a commit. What the remote has meanwhile is fetched for that.
func (r *Release) has(ctx context.Context, refs gitremote.Refs, commit string) (bool, error) {
	there := refs.Branches[r.plan.Branch]
	if there == "" {
		return false, nil
	}
	here, err := r.Repo.Contains(ctx, there, there)
	if err == nil && !here {
		err = gitremote.Fetch(ctx, r.Repo, r.plan.Remote)
	}
	if err != nil {
		return false, err
	}
	return r.Repo.Contains(ctx, there, commit)
}
