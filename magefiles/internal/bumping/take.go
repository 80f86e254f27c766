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

// Bump takes up what an earlier run has left, or works a plan out (or reads the one that a file has), shows it, asks, and carries it out.
func (b *Bumper) Bump(ctx context.Context, req bump.Request, file string, parts bump.Parts) (bump.Result, error) {
	if b.Repo == nil && (parts.Commit || parts.Tag) {
		return bump.Result{}, operr.New("run `git init` and commit the workspace", "%s is in no git repository: there is nothing to commit to", b.Workspace.Root)
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

// refuseUnfinished refuses while a release is unfinished: what it goes on with, or takes back, are the versions that it has left.
func (b *Bumper) refuseUnfinished() error {
	if b.Repo == nil || b.Unfinished == nil {
		return nil
	}
	title, err := b.Unfinished(filepath.Join(b.Repo.Common, folders.State))
	if err == nil && title != "" {
		err = operr.NewStopped("`mage release` completes it, `mage undo` takes it back; then bump", "the release of %s is unfinished, and a bump would change its versions under it; nothing was changed", title)
	}
	return err
}

// Upgrade moves the pins of downstreams, where a person agrees: of the one that is named, or of all.
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
		return nil, operr.New("a downstream is a manifest with a [workspace] of its own that takes these packages from the channel", "%s has no downstream to be upgraded", b.Workspace.Manifest.Name)
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

// takeUp goes on with a bump that lies in the work tree, or says what to do about it.
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
		return r, true, operr.New("commit it by -commit without -to, or undo it by `git restore`", "a bump lies in the work tree uncommitted, and not the one that is asked for; nothing was changed")
	case pending.Commit == "" && !parts.Commit:
		return r, true, operr.New("say -commit, or undo it by `git restore`", "this bump lies in the work tree already, uncommitted; nothing was changed")
	}
	b.View.Say("taking up the bump that an earlier run left behind")
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
		return bump.Result{}, operr.NewUsage("say -commit too", "-tag needs a commit, and without -commit there is none")
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

// agree shows the plan and asks.
func (b *Bumper) agree(ctx context.Context, p *bump.Plan) error {
	if !b.Quiet {
		b.View.Plan(p, true)
	}
	return b.Confirm(ctx, "Carry it out?")
}

// Show tells a person what was done.
func (b *Bumper) Show(r bump.Result) {
	switch {
	case r.Commit != "":
		b.View.Heading("committed %s as %s", r.Commit[:min(len(r.Commit), 12)], strings.SplitN(r.Plan.Message, "\n", 2)[0])
	case !r.Plan.Empty():
		b.View.Heading("changed, and not committed")
	case len(r.Plan.Notes) == 0 && len(r.Tags) == 0:
		b.View.Line("nothing to change: %s", Already(r.Plan))
	case len(r.Tags) == 0:
		b.View.Plan(r.Plan, true)
	}
	if len(r.Had) > 0 {
		b.View.Heading("there already: %s", strings.Join(r.Had, ", "))
	}
	if made := slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return slices.Contains(r.Had, tag) }); len(made) > 0 {
		b.View.Heading("tagged %s", strings.Join(made, ", "))
	}
	switch {
	case b.byPull() && (len(r.Tags) > 0 || r.Commit != ""):
		b.View.Next("push it to a branch of its own, and open a pull request: releases of this repository land by one (`mage release -pr` does all of it)")
	case len(r.Tags) > 0:
		b.View.Next("`git push --follow-tags`")
	case r.Commit != "":
		b.View.Next("`git push`")
	case !r.Plan.Empty():
		b.View.Next("`git diff`, then `mage version:bump -commit`")
	}
}
