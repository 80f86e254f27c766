package targets

import (
	"context"
	"runtime/debug"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Version shows and changes versions.
type Version mg.Namespace

// Show prints versions, and who pins whom. It fails when the manifests disagree. For example: `mage version:show`, `mage version:show -json`. Exit statuses:
// mage help version:show.
func (Version) Show(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		tags, err := released.LastTags(ctx, w, gitrepo.Tags{Runner: a.runner, Dir: w.Root})
		if err != nil {
			return err
		}
		if err := a.view.Versions(w, tags, isSet(json)); err != nil {
			return err
		}
		return w.DisagreementError()
	})
}

// Plan shows what a bump would change. It shows each package with the reason, and each file. Nothing is written. For example: `mage version:plan
// -to=minor`, `mage version:plan -to=auto -json`. Exit statuses: mage help version:plan.
func (Version) Plan(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version
	only *string, // one package, if the versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	fixDrift *bool, // also correct manifests that disagree now
	changelog *bool, // also write the changelog, as auto does; -changelog=false prevents that
	json *bool, // print one JSON object; version:bump -plan=FILE reads it
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		f := bumpFlags{to: to, only: only, ranges: ranges, fixDrift: fixDrift, changelog: changelog, asJSON: json}
		req, err := f.request()
		if err != nil {
			return err
		}
		b, err := a.bumping(ctx, f)
		if err != nil {
			return err
		}
		return answer(a, isSet(json), func() (*bump.Plan, error) { return b.Plan(ctx, req, "") }, func(p *bump.Plan) {
			a.view.Plan(p, false)
			if p.Empty() && len(p.Notes) == 0 {
				a.view.Text("nothing to change: %s", bumping.DescribeNoChange(p))
			}
			if p.Empty() {
				a.next(ctx, b.AfterNothing(ctx, p))
				return
			}
			a.view.Next("`%s`", b.CommandFor(p.Request))
		})
	})
}

// Bump changes versions, after asking. It first shows the plan, and then changes all versions and exact pins of the workspace, or nothing. For
// example: `mage version:bump -to=minor`, `mage version:bump -to=1.2.0 -commit -tag`. Exit statuses: mage help version:bump.
func (Version) Bump(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version
	only *string, // one package, if the versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	fixDrift *bool, // also correct manifests that disagree now
	changelog *bool, // also write the changelog, as auto does; -changelog=false prevents that
	plan *string, // a file with the output of version:plan -json: make the bump that it plans
	commit *bool, // also commit, even a bump that an earlier run left uncommitted
	tag *bool, // also tag the commit
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		f := bumpFlags{to: to, only: only, ranges: ranges, fixDrift: fixDrift, changelog: changelog, asJSON: json, assumed: yes}
		req, err := f.request()
		if err != nil {
			return err
		}
		b, err := a.bumping(ctx, f)
		if err != nil {
			return err
		}
		return answer(a, isSet(json), func() (bump.Result, error) {
			return b.Bump(ctx, req, orZero(plan), bump.Parts{Commit: isSet(commit), Tag: isSet(tag)})
		}, b.Show)
	})
}

// bumpFlags holds the flags of version:plan, version:bump and app:upgrade.
type bumpFlags struct {
	to, only, ranges                     *string
	fixDrift, changelog, asJSON, assumed *bool
}

// request reads the flags.
func (f bumpFlags) request() (bump.Request, error) {
	raise, err := bumping.Raises(orZero(f.ranges))
	return bump.Request{
		To:          orZero(f.to),
		Only:        orZero(f.only),
		Raise:       raise,
		FixDrift:    isSet(f.fixDrift),
		Changelog:   isSet(f.changelog),
		NoChangelog: f.changelog != nil && !*f.changelog,
		Date:        today(),
	}, err
}

// bumping reads the workspace for a bump, after it has reverted what a killed run has left behind.
func (a *pipeline) bumping(ctx context.Context, f bumpFlags) (*bumping.Bumper, error) {
	if req, err := f.request(); err == nil && req.ReadsCommits() {
		debug.SetGCPercent(100) // a history may be long, and most objects that are read from it are not kept
	}
	return bumping.Open(ctx, bumping.Config{
		Runner:  a.runner,
		Dir:     a.dir,
		View:    a.view,
		Confirm: func(ctx context.Context, question string) error { return a.confirm(ctx, isSet(f.assumed), question) },
		Quiet:   isSet(f.asJSON),
		Unfinished: func(state string) (string, error) {
			past, err := trace.FindUnfinished(state)
			if past == nil {
				return "", err
			}
			return past.Plan.Title, err
		},
	})
}
