package trace

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ours reports whether a tag of this release that names a commit was made by it. Somebody else may have released the same version
// from the same base. Without a journal, tags are all that is known of a release.
func (t *Trace) ours(commit string) bool {
	return t.Past == nil || t.Past.Released(commit) || t.Found != nil && t.Found() == commit
}

// OwnTags are the plan's tags that this clone has, and that this release made. Where it has no commit of its own, only its journal
// tells them from such as were at that commit before.
func (t *Trace) OwnTags(ctx context.Context) (own []string, err error) {
	tags, err := t.Repo.Tags(ctx)
	if err != nil {
		return nil, err
	}
	for _, tag := range t.Plan.Tags {
		if at := tags[tag]; at != "" && t.ours(at) && (!t.Plan.Bump.Empty() || t.Past == nil || t.Past.HasBegun(StepTag)) {
			own = append(own, tag)
		}
	}
	return own, nil
}

// Sent reports whether the tags on the remote may be those of this release, which has no commit of its own: its journal comes
// to the push, and the clone's tags are the same objects. Somebody else may have released the same version of the same commit.
func (t *Trace) Sent(ctx context.Context, refs gitremote.Refs) (bool, error) {
	if !t.Plan.Bump.Empty() || t.Past == nil {
		return true, nil
	}
	if !t.Past.HasBegun(StepPush) && !t.Past.hasEnded(StepPush) {
		return false, nil
	}
	for _, tag := range t.Plan.Tags {
		if other, err := gitremote.OtherTag(ctx, t.Repo, refs, tag); other || err != nil {
			return false, err
		}
	}
	return true, nil
}

// FindCommit is the commit that the release made, on the first parents of another one; "" where it is not there. It is the
// one that took the packages to their versions, wherever it lies: who pulls with --rebase has commits of others below it, and
// it has another name then.
func (t *Trace) FindCommit(ctx context.Context, head string) (string, error) {
	w, err := t.Store.At(ctx, t.Repo, head)
	if err != nil {
		return "", err
	}
	for _, pkg := range t.StillAt(w) {
		made, err := t.Store.Made(ctx, t.Repo, head, bump.TagOf(w, pkg))
		if err != nil {
			return "", err
		}
		if made.Commit == "" {
			continue // no line of a manifest has its version
		}
		before, err := t.Repo.Contains(ctx, t.Plan.Base, made.Commit)
		if err != nil || !before {
			return made.Commit, err
		}
	}
	var paths []string
	for _, f := range t.Plan.Bump.Files {
		paths = append(paths, t.Store.PathOf(f.Path))
	}
	return t.Repo.MadeOn(ctx, t.Plan.Base, head, paths)
}

// StillAt are the packages that the release moved, and that are in a workspace at the versions that it gave them.
func (t *Trace) StillAt(w *workspace.Workspace) (all []*workspace.Package) {
	if w == nil {
		return nil
	}
	for _, m := range t.Plan.Bump.Packages {
		if pkg, err := w.Package(m.Name); m.In == "" && err == nil && version.Same(pkg.Version.Text, m.New) {
			all = append(all, pkg)
		}
	}
	return all
}

// RefuseBranch refuses to look for a release's commit on another branch than it was made on, where that one has commits since.
// What is checked out would be taken for it, or it would be said that nothing was done.
func (t *Trace) RefuseBranch(ctx context.Context) error {
	p := t.Plan
	head, err := t.Repo.Head(ctx)
	if err != nil || head.Branch == p.Branch || p.Bump.Empty() {
		return err
	}
	there, err := t.Repo.Resolve(ctx, "refs/heads/"+p.Branch)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return nil // the clone has no such branch: it was never made here
	}
	if err != nil || there == p.Base {
		return err
	}
	on, err := t.Repo.Contains(ctx, there, p.Base)
	if err != nil || !on {
		return err
	}
	return operr.NewStopped("`git switch "+operr.Word(p.Branch)+"`, and run it again", "the release of %s was begun on the branch %s, which has commits since, and another one is checked out; nothing was changed", p.Title, p.Branch)
}

// HasRemote reports whether the remote's branch has a commit. What the remote has meanwhile is fetched for that.
func (t *Trace) HasRemote(ctx context.Context, refs gitremote.Refs, commit string) (bool, error) {
	there := refs.Branches[t.Plan.Branch]
	if there == "" {
		return false, nil
	}
	here, err := t.Repo.Contains(ctx, there, there)
	if err == nil && !here {
		err = gitremote.Fetch(ctx, t.Repo, t.Plan.Remote)
	}
	if err != nil {
		return false, err
	}
	return t.Repo.Contains(ctx, there, commit)
}
