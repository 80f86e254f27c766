package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/earlier"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// begin finds out what a release would begin with, and refuses what one would refuse, before a world is built for it.
func (r *run) begin(ctx context.Context) (err error) {
	if r.unfinished, err = trace.Unfinished(filepath.Join(r.source.Dir, folders.State)); err != nil {
		return err
	}
	if r.remoteTags, err = r.source.MergedTags(ctx); err != nil {
		return err
	}
	r.branch = r.branchOf(ctx)
	if r.unfinished != nil {
		return r.beginUnfinished(ctx)
	}
	r.chosen = r.Request.To != "" || r.Request.Only != "" || r.Request.Raise
	if r.Request.To == "" {
		r.Request.To = "patch"
	}
	if err := r.findLanded(ctx); err != nil {
		return err
	}
	if err := r.refuse(ctx); err != nil {
		return err
	}
	if r.landed != nil {
		r.Request.To = "" // as a person goes on with it
	}
	return nil
}

// findLanded finds versions that a pull request brings, and that are not tagged, where nothing else is asked for: the commit is that of such a pull request,
// or main between its merge and the tag. Nothing else can be proposed then, and what is rehearsed is how that goes on.
func (r *run) findLanded(ctx context.Context) error {
	if r.w.Config.Land != settings.LandByPull || r.chosen {
		return nil
	}
	clone, err := gitrepo.Open(ctx, r.Runner, r.clone)
	if err != nil {
		return err
	}
	store := &bump.Store{Top: clone.Top, Dir: filepath.Join(r.Dir, folder.Temporary, folders.State)}
	r.landed, err = trace.FindLanded(ctx, clone, store, r.w, r.History(r.source), r.remoteTags)
	return err
}

// branchOf is the branch that the release is made from: the one that is checked out, where releases are made from it, and
// else the one that they are usually made from.
func (r *run) branchOf(ctx context.Context) string {
	usual := gitsettings.UsualBranch(ctx, r.Runner, r.Environ, r.source.Top, r.w.Config.Remote, r.head.Branch)
	branch, _ := r.w.Config.ReleaseBranch(r.head.Branch, usual)
	return cmp.Or(branch, r.head.Branch, "main")
}

// beginUnfinished says that a real release is unfinished in this clone: what is rehearsed is its continuation.
func (r *run) beginUnfinished(ctx context.Context) error {
	past := r.unfinished
	if err := past.Accepts(r.Request); err != nil {
		return err
	}
	if !past.Did(trace.StepPush) {
		for _, tag := range past.Plan.Tags {
			delete(r.remoteTags, tag) // the remote has none of them
		}
	}
	on, err := r.source.Contains(ctx, r.head.Commit, past.Plan.Base)
	if err != nil {
		return err
	}
	if !on {
		return operr.NewStopped("go back to it, or `mage undo`",
			"the release of %s is unfinished here, and was begun on %.12s, which this commit does not contain", past.Plan.Title, past.Plan.Base)
	}
	r.branch = past.Plan.Branch
	if past.Did(trace.StepPush) {
		r.missing("what the real channel has of "+past.Plan.Title+" already", "the embedded channel begins with nothing of it")
	}
	return nil
}

// refuse is what a release would refuse by manifests, tags and tools alone.
func (r *run) refuse(ctx context.Context) error {
	if r.by() == settings.PublishCI {
		if err := workflows.Check(os.DirFS(r.clone), forge.Workflow, r.w.Config.Actions); err != nil {
			return err
		}
		if r.landsByPull() {
			if err := workflows.CheckProposing(os.DirFS(r.clone), r.branch, r.w.Config.Actions); err != nil {
				return err
			}
		}
		tracked, err := r.git(ctx, r.clone, "ls-files", "-z")
		if err != nil {
			return err
		}
		r.report.Doubts = workflows.Doubts(os.DirFS(r.clone), strings.Split(tracked, "\x00"))
	}
	history := r.History(r.source)
	planned, err := bump.New(ctx, r.w, r.Request, history)
	if err != nil {
		return cmp.Or(preflight.RefuseUnversioned(ctx, r.w, history), err)
	}
	if err := preflight.RefusePlan(ctx, r.w, planned, history); err != nil {
		return err
	}
	tools, err := r.tools(ctx, r.w)
	if err != nil {
		return err
	}
	if _, err := tools.Describe(ctx); err != nil {
		return err
	}
	if err := errors.Join(tools.Ready(ctx), toolchain.Foresee(tools, r.w.Packages)); err != nil {
		return err
	}
	return r.tellTaken(ctx, planned)
}

// tellTaken names tags of the plan that the repository has on a commit which this one does not contain. In the embedded
// world, which is as it was at this commit, they are free.
func (r *run) tellTaken(ctx context.Context, planned *bump.Plan) error {
	tags, err := r.source.Tags(ctx)
	if err != nil {
		return err
	}
	for _, t := range planned.Tags {
		if at := tags[t.Name]; at != "" && r.remoteTags[t.Name] == "" {
			r.missing("that the tag "+t.Name+" is free", fmt.Sprintf("it is not: it is on %.12s, which this commit does not contain, and a real release would stop there", at))
		}
	}
	return nil
}

// tools picks the toolchain, with environments that outlast the rehearsal.
func (r *run) tools(ctx context.Context, w *workspace.Workspace) (toolchain.Toolchain, error) {
	return r.Tools(ctx, w, filepath.Join(r.Dir, folder.Environments))
}

// earlier makes what earlier releases left.
func (r *run) earlier() earlier.Maker {
	return earlier.Maker{
		Runner:    r.Runner,
		Dir:       r.Dir,
		Name:      r.Name,
		Source:    r.source,
		Workspace: r.w,
		Today:     r.head.Time,
		Tools:     r.tools,
		Missing:   r.missing,
		Git: func(ctx context.Context, args ...string) (string, error) {
			return gitsettings.AsOwner(ctx, r.Runner, r.Environ, r.source.Top, args...)
		},
	}
}

// takeJournal gives the clone the journal of the unfinished release: it goes on there as it would here, but for the channel.
func (r *run) takeJournal() error {
	if r.unfinished == nil {
		return nil
	}
	to := filepath.Join(r.clone, ".git", folders.State, "releases", filepath.Base(r.unfinished.Path))
	return r.unfinished.CopyTo(to, r.world.Prefix.URL+"/"+r.world.Channel)
}

// lastReleases are the releases of the packages that the world begins with.
func (r *run) lastReleases() []released.Release {
	tags := maps.Clone(r.remoteTags)
	if r.unfinished != nil { // what is being released is not on the channel; what was released before it is
		maps.DeleteFunc(tags, func(tag, _ string) bool { return slices.Contains(r.unfinished.Plan.Tags, tag) })
	}
	return released.LastReleases(r.w, tags)
}
