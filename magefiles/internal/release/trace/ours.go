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

// `ours` reports whether the tag at a commit belongs to this release. Someone else may have released the same version from the same base. Without a
// journal there is nothing to compare with, so the tag is assumed to belong to it.
func (t *Trace) ours(commit string) bool {
	return t.Past == nil || t.Past.Released(commit) || t.Found != nil && t.Found() == commit
}

// OwnTags returns the plan's tags in this clone that this release made. If the release makes no commit, only its journal can show that they are not
// earlier tags at the same commit.
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

// CheckSent reports whether this release may have pushed the tags on the remote. It checks only a release that makes no commit and has a journal: the
// journal must have begun the push, and the tags must be the same objects as in the clone. Otherwise someone else has released the same version from
// the same commit.
func (t *Trace) CheckSent(ctx context.Context, refs gitremote.Refs) (bool, error) {
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

// FindCommit returns the commit that the release made, among the first parents of `head`, or "". It looks for the commit that gave the packages their
// versions, because after a pull with --rebase the commit has another hash and other parents.
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
			continue // the package's version is not in a manifest
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

// StillAt returns the packages that the release bumped and that still have the new versions in a workspace.
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

// RefuseBranch returns an error if the release was begun on another branch, and that branch has new commits since. On the current branch, the search
// would find a wrong commit or none.
func (t *Trace) RefuseBranch(ctx context.Context) error {
	p := t.Plan
	head, err := t.Repo.Head(ctx)
	if err != nil || head.Branch == p.Branch || p.Bump.Empty() {
		return err
	}
	there, err := t.Repo.Resolve(ctx, "refs/heads/"+p.Branch)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return nil // the branch is not in this clone, so the release was not made here
	}
	if err != nil || there == p.Base {
		return err
	}
	on, err := t.Repo.Contains(ctx, there, p.Base)
	if err != nil || !on {
		return err
	}
	return operr.NewStopped("run `git switch "+operr.Word(p.Branch)+"`, and then this command again", "the release of %s was begun on the branch %s, which has new commits, but another branch is checked out; nothing was changed", p.Title, p.Branch)
}

// HasRemote reports whether the remote's branch contains a commit. It fetches the branch if necessary.
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
