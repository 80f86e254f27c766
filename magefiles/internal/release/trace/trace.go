// Package trace finds what a release left behind in git, in its journal and on its channel, and whether this release or another one made it. It does
// not change anything.
//
// Someone else may have released the same version from the same commit. So findings are compared with the journal or, in a clone without a journal,
// with the commits that the tags point to.
//
//	trace.go     where to look, and the commit that is released
//	journal.go   the journal: which release was begun, and which steps it began and completed; step names
//	ours.go      which tags and commits this release made
//	exact.go     whether a commit that an undo would revert belongs to the release
//	landed.go    untagged versions on a branch, such as those from a merged pull request
//	present.go   what a clone without a journal can learn from tags
//	branch.go    from which branch a release was pushed
//	uploaded.go  what is, or may be, on the channel
package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Trace holds the places to search, and the release to search for.
type Trace struct {
	Repo    *gitrepo.Repo
	Store   *bump.Store
	Root    string                                                    // workspace root, inside the work tree
	State   string                                                    // folder for the journals
	Channel func(w *workspace.Workspace) (publish.Destination, error) // always returns the same destination within an operation
	Hub     forge.Hub
	Publish string // who publishes, overriding the plan; "" uses the plan's value

	Plan  *plan.Plan    // the release's plan
	Past  *Past         // the release's journal; nil if there was none when the run began
	Found func() string // returns the release commit that this run has found or made, or ""; may be nil
}

// For returns a copy of t for the release with the given plan, which has no journal yet.
func (t *Trace) For(p *plan.Plan) *Trace {
	c := *t
	c.Plan, c.Past = p, nil
	return &c
}

// Of returns a copy of t for a release that was begun.
func (t *Trace) Of(past *Past) *Trace {
	c := t.For(past.Plan)
	if past.Path != "" { // otherwise it was reconstructed from tags
		c.Past = past
	}
	return c
}

// By returns who publishes: settings.PublishCI or PublishHere.
func (t *Trace) By() string { return cmp.Or(t.Publish, t.Plan.Publish) }

// Commit is the commit that a release tags.
type Commit struct {
	Hash  string `json:"hash"`
	Where string `json:"where"` // Here, or the name of the remote that has the tags
}

// Here is the Where of a commit that the remote's tags do not point to.
const Here = "here"

// IsOut reports whether the tags are on the remote. If so, the commit was checked before they were pushed.
func (c Commit) IsOut() bool { return c.Where != Here }

func (c Commit) String() string { return fmt.Sprintf("commit %.12s", c.Hash) }

// FindPushed returns the commit that this release's tags on the remote point to, or "" if the tags do not exist or belong to someone else. The
// release must have made the commit on the plan's base; if it makes no commit, the tags must be at the base. Tags at different commits are an error.
// If only some of the tags exist ([Trace.Lacks]) and this release pushed them, it is between two of its pushes.
func (t *Trace) FindPushed(ctx context.Context, refs gitremote.Refs) (commit string, err error) {
	tags := t.Plan.Tags
	if lacks := t.Lacks(refs); len(lacks) > 0 {
		sent, err := t.checkSentSome(ctx, refs)
		if !sent || err != nil {
			return "", err
		}
		tags = slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return slices.Contains(lacks, tag) })
	}
	commit, err = sameCommit(refs.Tags, tags, t.Plan.Remote)
	if err != nil || commit == "" || t.Plan.Bump.Empty() && commit == t.Plan.Base {
		return commit, err
	}
	on, err := t.Repo.Contains(ctx, commit, t.Plan.Base)
	if !on || commit == t.Plan.Base || !t.ours(commit) {
		return "", err
	}
	return commit, nil
}

// Lacks returns the release's tags that the remote does not have.
func (t *Trace) Lacks(refs gitremote.Refs) []string {
	return slices.DeleteFunc(slices.Clone(t.Plan.Tags), func(tag string) bool { return refs.Tags[tag] != "" })
}

// checkSentSome reports whether this release pushed some of its tags before it was killed: it has too many tags for one push, its journal has begun
// the push step, and the tags on the remote are the same objects as in the clone.
func (t *Trace) checkSentSome(ctx context.Context, refs gitremote.Refs) (bool, error) {
	if len(t.Plan.Tags) <= gitremote.MaxTags || !t.Past.HasBegun(StepPush) || t.Plan.FindTag(refs.Tags) == "" {
		return false, nil
	}
	tags, err := t.Repo.Tags(ctx)
	if err != nil {
		return false, err
	}
	for _, tag := range t.Plan.Tags {
		if refs.Tags[tag] == "" {
			continue
		}
		if other, err := gitremote.OtherTag(ctx, t.Repo, refs, tag); other || err != nil || tags[tag] == "" {
			return false, err
		}
	}
	return true, nil
}

func sameCommit(tags map[string]string, names []string, where string) (commit string, err error) {
	for _, t := range names {
		at, ok := tags[t]
		switch {
		case !ok:
			return "", nil
		case commit != "" && commit != at:
			return "", operr.NewStopped("find out which commit is right, and delete the tags at the wrong commit", "the tags of this release name different commits on %s: %s is at %.12s, and another tag is at %.12s", where, t, at, commit)
		}
		commit = at
	}
	return commit, nil
}

// FindOwnCommit finds this release's commit, and reports whether there is one. It returns the commit that the release's tags point to, on the remote
// or in the clone. Without tags, it returns the current commit if that is based on the plan's base and has the plan's versions.
func (t *Trace) FindOwnCommit(ctx context.Context) (Commit, bool, error) {
	refs, err := gitremote.Read(ctx, t.Repo, t.Plan.Remote)
	if err != nil {
		return Commit{}, false, err
	}
	if at, err := t.FindPushed(ctx, refs); at != "" || err != nil {
		return Commit{Hash: at, Where: t.Plan.Remote}, err == nil, err
	}
	tags, err := t.Repo.Tags(ctx)
	if err != nil {
		return Commit{}, false, err
	}
	at, err := sameCommit(tags, t.Plan.Tags, "this clone")
	if err != nil {
		return Commit{}, false, err
	}
	if at != "" {
		return Commit{Hash: at, Where: Here}, true, nil
	}
	if t.Plan.Landed {
		return Commit{Hash: t.Plan.Base, Where: Here}, true, nil
	}
	head, err := t.Repo.Head(ctx)
	if err != nil {
		return Commit{}, false, err
	}
	on, err := t.Repo.Contains(ctx, head.Commit, t.Plan.Base)
	if err != nil || !on || head.Commit == t.Plan.Base && !t.Plan.Bump.Empty() {
		return Commit{}, false, err
	}
	changed, err := t.Repo.Changed(ctx)
	if err != nil || len(changed) > 0 {
		return Commit{}, false, err
	}
	w, err := workspace.Load(t.Root)
	if err != nil || t.Plan.Compare(w) != "" {
		return Commit{}, false, err
	}
	return Commit{Hash: head.Commit, Where: Here}, true, nil
}

// Void reports whether a begun release has left no change, commit or tag behind, so that another release may be planned instead. On a branch that
// RefuseBranch rejects, it returns false: then the release is continued, and preflight reports the problem.
func (t *Trace) Void(ctx context.Context) (bool, error) {
	if t.RefuseBranch(ctx) != nil {
		//lint:ignore nilerr preflight reports this error
		return false, nil
	}
	pending, err := t.Store.Pending(ctx, t.Repo)
	if err != nil || pending != nil {
		return false, err
	}
	if t.Past.hasEnded(StepCommit) {
		return false, nil
	}
	if t.Plan.Bump.Empty() { // the release makes no commit, so it can only leave tags
		refs, err := gitremote.Read(ctx, t.Repo, t.Plan.Remote)
		return err == nil && t.Plan.FindTag(refs.Tags) == "", nil
	}
	_, made, err := t.FindOwnCommit(ctx)
	return err == nil && !made, err
}
