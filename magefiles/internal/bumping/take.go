package bumping

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Bump resumes the bump of an earlier run. If there is none, it makes a plan or reads one from a file, shows it, asks for confirmation, and applies
// it.
func (b *Bumper) Bump(ctx context.Context, req bump.Request, file string, parts bump.Parts) (bump.Result, error) {
	if b.Repo == nil && (parts.Commit || parts.Tag) {
		return bump.Result{}, operr.New("run `git init` and commit the workspace", "%s is not in a git repository, so nothing can be committed", b.Workspace.Root)
	}
	if err := b.refuseUnfinished(); err != nil {
		return bump.Result{}, err
	}
	r, done, err := b.takeUp(ctx, req, file, parts)
	if err == nil && !done {
		r, err = b.takeNew(ctx, req, file, parts)
	}
	return r, err
}

// refuseUnfinished returns an error while a release of this work tree is unfinished. Resuming or undoing the release depends on the versions in the
// work tree.
func (b *Bumper) refuseUnfinished() error {
	if b.Repo == nil || b.Unfinished == nil {
		return nil
	}
	title, err := b.Unfinished(filepath.Join(b.Repo.Dir, folders.State))
	if err == nil && title != "" {
		err = operr.NewStopped("complete the release with `mage release`, or undo it with `mage undo`, and then run this command again", "the release of %s is unfinished, and a bump would change its versions; nothing was changed", title)
	}
	return err
}

// Upgrade updates the pins of one downstream, or of all, after the user confirms.
func (b *Bumper) Upgrade(ctx context.Context, req bump.Request, from bump.Available) (*bump.Plan, error) {
	downstreams := b.Workspace.Downstreams
	if req.Only != "" {
		d, err := b.Workspace.Downstream(req.Only)
		if err != nil {
			return nil, err
		}
		downstreams = []*workspace.Downstream{d}
	}
	if len(downstreams) == 0 {
		return nil, operr.New("add a downstream, which is a manifest with its own [workspace] that requires these packages from the channel", "%s has no downstream to upgrade", b.Workspace.Manifest.Name)
	}
	p, err := bump.Upgrade(ctx, b.Workspace, downstreams, req, from)
	if err != nil || p.Empty() {
		return p, err
	}
	if err := b.agree(ctx, p); err != nil {
		return nil, err
	}
	_, err = b.Store.Apply(ctx, p)
	return p, err
}

// takeUp resumes a bump that is uncommitted in the work tree. If resuming is not possible, it returns an error with the next step.
func (b *Bumper) takeUp(ctx context.Context, req bump.Request, file string, parts bump.Parts) (r bump.Result, done bool, err error) {
	if b.Repo == nil {
		return r, false, nil
	}
	pending, err := b.Store.Pending(ctx, b.Repo)
	if pending != nil && file != "" {
		saved, err := bump.ReadPlan(file)
		if err != nil {
			return r, true, err
		}
		req = saved.Request
	}
	switch {
	case err != nil || pending == nil:
		return r, false, err
	case !pending.Fits(req) && pending.Commit != "":
		return r, false, nil
	case !pending.Fits(req):
		return r, true, operr.New("commit the uncommitted bump with `mage version:bump -commit`, or undo this bump with `git restore`", "the work tree has an uncommitted bump that differs from the requested bump; nothing was changed")
	case pending.Commit == "" && !parts.Commit:
		return r, true, operr.New("pass -commit, or undo the bump with `git restore`", "this bump is already in the work tree, but it is not committed; nothing was changed")
	}
	b.View.Say("resuming the bump that an earlier run left unfinished")
	if err := b.agree(ctx, pending.Plan); err != nil {
		return r, true, err
	}
	r, err = b.Store.TakeUp(ctx, pending, b.Repo, parts)
	return r, true, err
}

func (b *Bumper) takeNew(ctx context.Context, req bump.Request, file string, parts bump.Parts) (bump.Result, error) {
	p, err := b.Plan(ctx, req, file)
	if err != nil {
		return bump.Result{}, err
	}
	if parts.Tag && !parts.Commit && !p.Empty() {
		return bump.Result{}, operr.NewUsage("pass -commit too", "-tag tags the commit that -commit makes, but -commit is missing")
	}
	if b.Repo != nil {
		if err := b.Store.Preflight(ctx, p, b.Repo, parts); err != nil {
			return bump.Result{}, err
		}
	}
	if p.Empty() && !parts.Tag {
		return bump.Result{Plan: p}, nil
	}
	if err := b.agree(ctx, p); err != nil {
		return bump.Result{}, err
	}
	if b.Repo == nil {
		return b.Store.Take(ctx, p, nil, parts)
	}
	return b.Store.Take(ctx, p, b.Repo, parts)
}

// agree shows the plan and asks for confirmation.
func (b *Bumper) agree(ctx context.Context, p *bump.Plan) error {
	if !b.Quiet {
		b.View.Plan(p, true)
	}
	return b.Confirm(ctx, "Carry it out?")
}

// Show prints the result of a bump.
func (b *Bumper) Show(r bump.Result) {
	switch {
	case r.Commit != "":
		b.View.Heading("committed %s as %s", r.Commit[:min(len(r.Commit), 12)], strings.SplitN(r.Plan.Message, "\n", 2)[0])
	case !r.Plan.Empty():
		b.View.Heading("changed, but not committed")
	case len(r.Plan.Notes) == 0 && len(r.Tags) == 0:
		b.View.Line("nothing to change: %s", DescribeNoChange(r.Plan))
	case len(r.Tags) == 0:
		b.View.Plan(r.Plan, true)
	}
	if len(r.Had) > 0 {
		b.View.Heading("these tags already exist: %s", strings.Join(r.Had, ", "))
	}
	if made := slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return slices.Contains(r.Had, tag) }); len(made) > 0 {
		b.View.Heading("tagged %s", strings.Join(made, ", "))
	}
	switch {
	case b.byPull() && (len(r.Tags) > 0 || r.Commit != ""):
		b.View.Next("push the commit to a separate branch, and open a pull request: this repository releases by pull requests (`mage release -pr` does both)")
	case len(r.Tags) > 0:
		b.View.Next("`git push --follow-tags`")
	case r.Commit != "":
		b.View.Next("`git push`")
	case !r.Plan.Empty() && b.Repo == nil:
		b.View.Next("`mage version:show`")
	case !r.Plan.Empty():
		b.View.Next("`git diff`, then `mage version:bump -commit`")
	}
}
