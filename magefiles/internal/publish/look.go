package publish

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Holdings is what a channel has of the workspace's packages.
type Holdings struct {
	Exists  bool                         // the channel does
	Records map[string][]condapkg.Record // by package name: every version, in the order of the file names

	// Unseen is why a channel that is not there for anyone was not asked with a credential: it may be private.
	Unseen error
}

// Of returns the records of one version of a package, or all where the version is "".
func (h Holdings) Of(name, version string) (found []condapkg.Record) {
	for _, r := range h.Records[name] {
		if version == "" || r.Version == version {
			found = append(found, r)
		}
	}
	return found
}

// Look asks the channel what it has of the packages, for this platform and for all. That it is not there yet is no error: the first
// release makes it, or tells how. Where it was not seen for lack of a credential, Unseen says why.
func Look(ctx context.Context, c Destination, packages []*workspace.Package) (Holdings, error) {
	h := Holdings{Records: map[string][]condapkg.Record{}}
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	for _, subdir := range subdirs() {
		records, err := c.Records(ctx, subdir, names...)
		if errors.Is(err, channel.ErrNotFound) {
			continue
		}
		if err != nil {
			return h, operr.New(cmp.Or(operr.CureOf(err), "run it again once that works; PREFIX_SERVER_URL, PREFIX_CHANNEL and HTTPS_PROXY say where it is, and by which way"), "looking at %s: %w", c.URL(), err)
		}
		h.Exists = true
		for _, r := range records {
			h.Records[r.Name] = append(h.Records[r.Name], r)
		}
	}
	if !h.Exists {
		h.Unseen = c.Unseen()
	}
	return h, context.Cause(ctx)
}

// subdirs are those that an artifact built on this machine can belong to.
func subdirs() []string {
	all := []string{condapkg.NoarchSubdir, workspace.HostPlatform()}
	return slices.DeleteFunc(all, func(s string) bool { return !condapkg.KnownSubdir(s) })
}

// since is the time since which the sources of a package are what they are, but not later than what an artifact of today
// would bear.
func (p *Publisher) since(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
	if p.Sources == nil {
		return time.Time{}, nil
	}
	t, err := p.Sources(ctx, pkg)
	if err != nil || (!p.Date.IsZero() && p.Date.Before(t)) {
		return p.Date, err
	}
	return t, nil
}

// older reports whether an artifact bears an earlier time than the sources. Artifacts without a time are taken for new.
func older(x condapkg.Index, sources time.Time) bool {
	return x.Timestamp != 0 && !sources.IsZero() && time.UnixMilli(x.Timestamp).Before(sources.Truncate(time.Second))
}
