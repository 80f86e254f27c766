package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// App does what the downstreams need that take the packages from the channel.
type App mg.Namespace

// Upgrade moves the downstreams' pins on the packages, by default to the newest version on the channel.
func (App) Upgrade(ctx context.Context,
	to *string, // this version, which may be an older one; the channel is then not asked
	only *string, // one downstream, by its name or folder; the default is all
	ranges *string, // raise: raise ranges that would not admit the version
	json *bool, // print what was done as JSON
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		return a.upgrade(ctx, bumpFlags{to: to, only: only, ranges: ranges, asJSON: json, assumed: yes})
	})
}

func (a *app) upgrade(ctx context.Context, f bumpFlags) error {
	req, err := f.request()
	if err != nil {
		return err
	}
	b, err := a.bumping(ctx)
	if err != nil {
		return err
	}
	downstreams := b.w.Downstreams
	if req.Only != "" {
		d, err := b.w.Downstream(req.Only)
		if err != nil {
			return err
		}
		downstreams = []*workspace.Downstream{d}
	}
	if len(downstreams) == 0 {
		return operr.New("a downstream is a manifest with a [workspace] of its own that takes these packages from the channel", "%s has no downstream to be upgraded", b.w.Manifest.Name)
	}
	p, err := bump.Upgrade(ctx, b.w, downstreams, req, ourchannel.Published{Channels: a.channels, Name: a.channels.NameOf(b.w)})
	if err != nil {
		return err
	}
	if p.Empty() {
		return b.report(bump.Result{Plan: p}, isSet(f.asJSON))
	}
	if err := b.confirm(ctx, f, p); err != nil {
		return err
	}
	if _, err := b.store.Apply(ctx, p); err != nil {
		return err
	}
	return b.reportUpgrade(p, isSet(f.asJSON))
}

func (b *bumping) reportUpgrade(p *bump.Plan, asJSON bool) error {
	if asJSON {
		return b.view.JSON(bump.Result{Plan: p})
	}
	b.view.Heading("changed; nothing is committed")
	return nil
}
