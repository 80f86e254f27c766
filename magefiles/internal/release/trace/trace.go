// Package trace finds what a release leaves behind, in git, in its journal and on its channel, and whose it is. Nothing here changes
// anything.
//
// Somebody else may have released the same version, of the same commit. So what is found is compared with what the journal knows, and,
// in a clone without one, with what the tags name.
//
//	trace.go     where it is looked, and the commit that is released
//	journal.go   the journal: which release was begun, what it began and did; the names of the steps
//	ours.go      what of tags and commits is this release's, and not somebody else's
//	exact.go     whether a commit that an undo takes back is the release's own
//	landed.go    versions that a branch has and that are not tagged: a pull request has brought them
//	present.go   what a clone knows that has no journal: tags, and what they stand for
//	branch.go    which branch a release that was pushed came from
//	uploaded.go  what is on the channel, or may be
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

// Trace is where it is looked, and what for: the release of a plan.
type Trace struct {
	Repo    *gitrepo.Repo
	Store   *bump.Store
	Root    string                                                    // of the workspace, in the work tree
	State   string                                                    // folder of the journals
	Channel func(w *workspace.Workspace) (publish.Destination, error) // one for all of an operation
	Hub     forge.Hub
	Publish string // who publishes, in place of what the plan says; "" is that

	Plan  *plan.Plan    // of the release that is looked for
	Past  *Past         // its journal; nil where none knows of it from before this run
	Found func() string // the commit that this run has found or made; "", or a nil function, where it has none
}

// For is a copy that looks for the release of a plan, which has no journal yet.
func (t *Trace) For(p *plan.Plan) *Trace {
	c := *t
	c.Plan, c.Past = p, nil
	return &c
}

// Of is a copy that looks for a release that was begun.
func (t *Trace) Of(past *Past) *Trace {
	c := t.For(past.Plan)
	if past.Path != "" { // else it was worked out from tags
		c.Past = past
	}
	return c
}

// By is who publishes.
func (t *Trace) By() string { return cmp.Or(t.Publish, t.Plan.Publish) }

// Commit is the commit that is released.
type Commit struct {
	Hash  string `json:"hash"`
	Where string `json:"where"` // that it is there: Here, or the remote's name
}

// Here is where a commit is that the remote's tags do not name.
const Here = "here"

// IsOut reports whether the tag is on the remote: what it names was checked before.
func (c Commit) IsOut() bool { return c.Where != Here }

func (c Commit) String() string { return fmt.Sprintf("commit %.12s", c.Hash) }

// Pushed is the commit that the remote's tags of this release name; "" where they are not there, or where they are of
// something else: the commit is made on the plan's base, and by this release, or, where it makes none, is that base. Tags that
// name different commits are an error. Where some are there and some are not ([Trace.Lacks]), it is in the middle of its pushes if they are its own.
func (t *Trace) Pushed(ctx context.Context, refs gitremote.Refs) (commit string, err error) {
	tags := t.Plan.Tags
	if lacks := t.Lacks(refs); len(lacks) > 0 {
		sent, err := t.sentSome(ctx, refs)
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

// Lacks are the tags of the release that a remote does not have.
func (t *Trace) Lacks(refs gitremote.Refs) []string {
	return slices.DeleteFunc(slices.Clone(t.Plan.Tags), func(tag string) bool { return refs.Tags[tag] != "" })
}

// sentSome reports whether the tags that a remote has are those that this release sent before it was killed: it has more than one push brings, its
// journal comes to the push, and the clone's tags are the same objects.
func (t *Trace) sentSome(ctx context.Context, refs gitremote.Refs) (bool, error) {
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
			return "", operr.NewStopped("find out which is right", "the tags of this release name different commits on %s: %s is at %.12s, and another at %.12s", where, t, at, commit)
		}
		commit = at
	}
	return commit, nil
}

// Committed finds the commit of this release: what the tags name, on the remote or here, or else the clone's, if it is made
// on the plan's base and has the plan's versions. It reports whether there is one.
func (t *Trace) Committed(ctx context.Context) (Commit, bool, error) {
	refs, err := gitremote.Read(ctx, t.Repo, t.Plan.Remote)
	if err != nil {
		return Commit{}, false, err
	}
	if at, err := t.Pushed(ctx, refs); at != "" || err != nil {
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

// Void reports whether nothing came of a release that was begun: its plan is no obligation. Where that cannot be told, something did: it is
// gone on with, and preflight says what is in the way.
func (t *Trace) Void(ctx context.Context) (bool, error) {
	if t.RefuseBranch(ctx) != nil {
		//lint:ignore nilerr preflight says it
		return false, nil
	}
	pending, err := t.Store.Pending(ctx, t.Repo)
	if err != nil || pending != nil {
		return false, err
	}
	if t.Past.hasEnded(StepCommit) {
		return false, nil
	}
	if t.Plan.Bump.Empty() { // there is no commit to be made: its tags are all that can come of it
		refs, err := gitremote.Read(ctx, t.Repo, t.Plan.Remote)
		return err == nil && t.Plan.FindTag(refs.Tags) == "", nil
	}
	_, made, err := t.Committed(ctx)
	return err == nil && !made, err
}
