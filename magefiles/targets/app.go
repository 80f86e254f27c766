package targets

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// App does what the downstreams need that take the packages from the channel.
type App mg.Namespace

// Upgrade moves the downstreams' pins on the packages, by default to the newest version on the channel.
func (App) Upgrade(ctx context.Context,
	to *string, // this version, which may be an older one; the channel is then not asked
	only *string, // one downstream, by its name or folder; default: all
	ranges *string, // raise: raise ranges that would not admit the new version
	json *bool, // print one JSON object
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
	p, err := bump.Upgrade(ctx, b.w, downstreams, req, published{app: a, channel: channelName(b.w)})
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

// published asks a downstream's own channel what there is of the packages.
type published struct {
	app     *app
	channel string // its name, as [tool.release] has it
}

// Versions implements bump.Published.
func (p published) Versions(ctx context.Context, d *workspace.Downstream, names []string) (map[string][]string, error) {
	name := p.channel
	client, err := prefixdev.New(prefixdev.Options{Server: readServer(d.Manifest.Channels, name)})
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, operr.New("say -to=VERSION, or write `channel = \"NAME\"` into [tool.release]", "what is the newest cannot be asked: %w", errNoChannel)
	}
	c, err := p.app.channel(client, name)
	if err != nil {
		return nil, err
	}
	return versionsOn(ctx, c, d, names)
}

// versionsOn are the versions that a channel has of packages, for the platforms of a downstream.
func versionsOn(ctx context.Context, c *prefixdev.Channel, d *workspace.Downstream, names []string) (map[string][]string, error) {
	out := map[string][]string{}
	found := false
	for _, subdir := range append([]string{condapkg.NoarchSubdir}, d.Manifest.Platforms...) {
		records, err := c.Records(ctx, subdir, names...)
		if errors.Is(err, channel.ErrNotFound) {
			continue // a channel has those subdirs that something was published for
		}
		if err != nil {
			return nil, operr.New("say -to=VERSION, which needs no network, or try again", "asking %s for the newest version: %w", c.URL(), err)
		}
		found = true
		for _, r := range records {
			if !slices.Contains(out[r.Name], r.Version) {
				out[r.Name] = append(out[r.Name], r.Version)
			}
		}
	}
	if !found {
		err := operr.New("publish a release first, or say -to=VERSION", "%w", channel.Errorf(channel.ErrNotFound, "there is no channel at %s", c.URL()))
		return nil, c.NotSeen(ctx, err)
	}
	return out, nil
}

// moved is where the channels of a manifest are to be read from instead of where they stand: only ours, where another
// server is set for the public one.
func moved(channels []string, name string) map[string]string {
	out := map[string]string{}
	for _, c := range channels {
		if u, err := url.Parse(c); err == nil && publicServer() != "" && strings.Trim(u.Path, "/") == name && prefixdev.Public(u.Host) {
			out[c] = strings.TrimSuffix(publicServer(), "/") + "/" + name
		}
	}
	return out
}

// readServer is the server that a channel is read from: the one where a manifest names it, unless that is the public one
// and another is set for it.
func readServer(channels []string, name string) string {
	for _, c := range channels {
		u, err := url.Parse(c)
		if err != nil || u.Host == "" || path.Base(u.Path) != name {
			continue
		}
		if prefixdev.Public(u.Host) {
			break
		}
		u.Path = strings.TrimSuffix(path.Dir(u.Path), "/")
		return u.String()
	}
	return publicServer()
}
