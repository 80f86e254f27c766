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

// Holdings lists the workspace's packages that a channel has.
type Holdings struct {
	Exists  bool                         // the channel exists
	Records map[string][]condapkg.Record // all versions by package name, sorted by file name

	// Unseen is set if the channel was not found without a credential, and was not queried with a credential. The channel may be private.
	Unseen error
}

// Of returns the records of one version of a package, or of all versions if version is "".
func (h Holdings) Of(name, version string) (found []condapkg.Record) {
	for _, r := range h.Records[name] {
		if version == "" || r.Version == version {
			found = append(found, r)
		}
	}
	return found
}

// Look queries the channel for the packages, in the subdirs of this platform and of noarch. A missing channel is not an error, because the first
// release creates it or tells the user how to. If the channel may only seem to be missing, because it was not queried with a credential,
// Holdings.Unseen has the reason.
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
			return h, operr.New(cmp.Or(operr.CureOf(err), "run the same command again when the server answers; to change the address, set PREFIX_SERVER_URL and PREFIX_CHANNEL; to use a proxy, set HTTPS_PROXY"), "looking at %s: %w", c.URL(), err)
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

// subdirs returns the subdirs for artifacts that are built on this machine.
func subdirs() []string {
	all := []string{condapkg.NoarchSubdir, workspace.HostPlatform()}
	return slices.DeleteFunc(all, func(s string) bool { return !condapkg.KnownSubdir(s) })
}

// `sourcesChanged` returns the time of the last change to a package's sources, or the time that a new artifact would have if that is earlier.
func (p *Publisher) sourcesChanged(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
	if p.Sources == nil {
		return time.Time{}, nil
	}
	t, err := p.Sources(ctx, pkg)
	if err != nil || (!p.Date.IsZero() && p.Date.Before(t)) {
		return p.Date, err
	}
	return t, nil
}

// older reports whether an artifact was built before its sources last changed. It returns false for artifacts without a time.
func older(x condapkg.Index, sources time.Time) bool {
	return x.Timestamp != 0 && !sources.IsZero() && time.UnixMilli(x.Timestamp).Before(sources.Truncate(time.Second))
}
