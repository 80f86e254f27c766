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

// begin determines where the release starts. It fails where a real release would, before the embedded world is built.
func (r *run) begin(ctx context.Context) (err error) {
	if r.unfinished, err = trace.FindUnfinished(filepath.Join(r.source.Dir, folders.State)); err != nil {
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
	r.Request.To = cmp.Or(r.Request.To, "patch")
	if err := r.findLanded(ctx); err != nil {
		return err
	}
	if err := r.refuse(ctx); err != nil {
		return err
	}
	if r.landed != nil {
		r.Request.To = "" // a user also continues a landed release by `release` without -to
	}
	return nil
}

// findLanded finds versions that have landed but are not tagged, unless another release was requested. The commit is then the head of a pull request
// with these versions, or main between the merge and the tag, or, without pull requests, main after the push. A real release would continue with
// these versions, so the rehearsal does, too.
func (r *run) findLanded(ctx context.Context) error {
	if r.chosen {
		return nil
	}
	clone, err := gitrepo.Open(ctx, r.Runner, r.clone)
	if err != nil {
		return err
	}
	store := &bump.Store{Top: clone.Top, Dir: filepath.Join(r.Dir, folder.Temporary, folders.State)}
	r.landed, err = trace.FindLanded(ctx, clone, store, r.w, r.History(r.source), r.remoteTags)
	if err == nil && r.w.Config.Land != settings.LandByPull {
		r.landed, err = r.landed.Pushed(ctx, r.source, r.w.Config.Remote, r.branch)
	}
	return err
}

// branchOf returns the branch to release from: the current branch if releases are made from it, otherwise the default release branch.
func (r *run) branchOf(ctx context.Context) string {
	usual := gitsettings.UsualBranch(ctx, r.Runner, r.Environ, r.source.Top, r.w.Config.Remote, r.head.Branch)
	branch, _ := r.w.Config.ReleaseBranch(r.head.Branch, usual)
	return cmp.Or(branch, r.head.Branch, "main")
}

// beginUnfinished prepares to continue this clone's unfinished release. The rehearsal then starts in the middle of that release.
func (r *run) beginUnfinished(ctx context.Context) error {
	past := r.unfinished
	if err := past.Accepts(r.Request); err != nil {
		return err
	}
	if !past.Did(trace.StepPush) {
		for _, tag := range past.Plan.Tags {
			delete(r.remoteTags, tag) // the unfinished release has not pushed this tag
		}
	}
	on, err := r.source.Contains(ctx, r.head.Commit, past.Plan.Base)
	if err != nil {
		return err
	}
	if !on {
		return operr.NewStopped("check out the branch of that release, or run `mage undo`",
			"the release of %s is unfinished here, and the checked-out commit does not contain the commit %.12s of this release", past.Plan.Title, past.Plan.Base)
	}
	r.branch = past.Plan.Branch
	if past.Did(trace.StepPush) {
		r.missing("the files of "+past.Plan.Title+" that the real channel already has", "the embedded channel starts without them")
	}
	return nil
}

// refuse returns the error with which a real release would stop before it builds. It checks manifests, workflow files, tags and tools.
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

// tellTaken reports planned tags that exist on commits outside the rehearsed history. The embedded remote does not have these tags.
func (r *run) tellTaken(ctx context.Context, planned *bump.Plan) error {
	tags, err := r.source.Tags(ctx)
	if err != nil {
		return err
	}
	for _, t := range planned.Tags {
		if at := tags[t.Name]; at != "" && r.remoteTags[t.Name] == "" {
			r.missing("whether the tag "+t.Name+" is free", fmt.Sprintf("the tag exists on %.12s, which the checked-out commit does not contain, so a real release would stop at this tag", at))
		}
	}
	return nil
}

// tools picks the toolchain. Its environments are cached for the next rehearsal.
func (r *run) tools(ctx context.Context, w *workspace.Workspace) (toolchain.Toolchain, error) {
	return r.Tools(ctx, w, filepath.Join(r.Dir, folder.Environments))
}

// earlier returns the builder for artifacts of earlier releases.
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
			return gitsettings.RunAsOwner(ctx, r.Runner, r.Environ, r.source.Top, args...)
		},
	}
}

// takeJournal copies the unfinished release's journal into the clone. The release continues there, on the embedded channel.
func (r *run) takeJournal() error {
	if r.unfinished == nil {
		return nil
	}
	to := filepath.Join(r.clone, ".git", folders.State, "releases", filepath.Base(r.unfinished.Path))
	return r.unfinished.CopyTo(to, r.world.Prefix.URL+"/"+r.world.Channel)
}

// lastReleases returns the packages' earlier releases, which are on the embedded channel from the start.
func (r *run) lastReleases() []released.Release {
	tags := maps.Clone(r.remoteTags)
	if r.unfinished != nil { // the unfinished release is not on the channel; its predecessor is
		maps.DeleteFunc(tags, func(tag, _ string) bool { return slices.Contains(r.unfinished.Plan.Tags, tag) })
	}
	return released.LastReleases(r.w, tags)
}
