package targets

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// versionBump takes up what an earlier run has left, or works a plan out, shows it, asks, and carries it out.
func (a *app) versionBump(ctx context.Context, f bumpFlags) error {
	req, err := f.request()
	if err != nil {
		return err
	}
	b, err := a.bumping(ctx)
	if err != nil {
		return err
	}
	steps := bump.Steps{Commit: isSet(f.commit), Tag: isSet(f.tag)}
	if b.repo == nil && (steps.Commit || steps.Tag) {
		return operr.New("run `git init` and commit the workspace", "%s is in no git repository: there is nothing to commit to", b.w.Root)
	}
	r, done, err := b.takeUp(ctx, f, req, steps)
	if err == nil && !done {
		r, err = b.takeNew(ctx, f, req, steps)
	}
	if err != nil {
		return err
	}
	return b.report(r, isSet(f.asJSON))
}

// takeUp goes on with a bump that lies in the work tree, or says what to do about it.
func (b *bumping) takeUp(ctx context.Context, f bumpFlags, req bump.Request, steps bump.Steps) (r bump.Result, done bool, err error) {
	if b.repo == nil {
		return r, false, nil
	}
	pending, err := b.store.Pending(ctx, b.repo)
	if file := text(f.plan); pending != nil && file != "" {
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
	case pending.Commit == "" && !steps.Commit:
		return r, true, operr.New("say -commit, or undo it by `git restore`", "this bump lies in the work tree already, uncommitted; nothing was changed")
	}
	b.view.Say("taking up the bump that an earlier run left behind")
	if err := b.confirm(ctx, f, pending.Plan); err != nil {
		return r, true, err
	}
	r, err = b.store.TakeUp(ctx, pending, b.repo, steps)
	return r, true, err
}

func (b *bumping) takeNew(ctx context.Context, f bumpFlags, req bump.Request, steps bump.Steps) (bump.Result, error) {
	p, err := b.plan(ctx, f, req)
	if err != nil {
		return bump.Result{}, err
	}
	if steps.Tag && !steps.Commit && !p.Empty() {
		return bump.Result{}, operr.NewUsage("say -commit too", "-tag needs a commit, and without -commit there is none")
	}
	if b.repo != nil {
		if err := b.store.Preflight(ctx, p, b.repo, steps); err != nil {
			return bump.Result{}, err
		}
	}
	if p.Empty() && !steps.Tag {
		return bump.Result{Plan: p}, nil
	}
	if err := b.confirm(ctx, f, p); err != nil {
		return bump.Result{}, err
	}
	if b.repo == nil {
		return b.store.Take(ctx, p, nil, steps)
	}
	return b.store.Take(ctx, p, b.repo, steps)
}

// confirm shows the plan and asks. Without a terminal nobody can answer, and -yes has to.
func (b *bumping) confirm(ctx context.Context, f bumpFlags, p *bump.Plan) error {
	if !isSet(f.asJSON) {
		b.view.Plan(p, true)
	}
	return b.app.confirm(ctx, isSet(f.assumed), "Carry it out?")
}

// report says what was done.
func (b *bumping) report(r bump.Result, asJSON bool) error {
	if asJSON {
		return b.view.JSON(r)
	}
	switch {
	case r.Commit != "":
		b.view.Heading("committed %s as %s", r.Commit[:min(len(r.Commit), 12)], strings.SplitN(r.Plan.Message, "\n", 2)[0])
	case !r.Plan.Empty():
		b.view.Heading("changed, and not committed: -commit takes it up")
	case len(r.Plan.Notes) == 0 && len(r.Tags) == 0:
		b.view.Line("nothing to change: %s", already(r.Plan))
	case len(r.Tags) == 0:
		b.view.Plan(r.Plan, true)
	}
	if len(r.Had) > 0 {
		b.view.Heading("there already: %s", strings.Join(r.Had, ", "))
	}
	if made := slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return slices.Contains(r.Had, tag) }); len(made) > 0 {
		b.view.Heading("tagged %s", strings.Join(made, ", "))
	}
	return nil
}
