// Package available checks, before an image is built, that a downstream's channels have the packages that its environment needs on every
// platform. If it cannot check a package, it reports this, and the solver resolves the package during the build.
//
//	available.go   checks an environment: its pins, its other requirements, and the requirements of its pinned packages
//	search.go      looks up names on channels, in rounds that batch the queries
//	lock.go        checks that a lock file contains every platform and every pin
//	pixiconfig.go  reads and changes the channel mirrors in pixi's configuration
package available

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Check checks that a downstream's channels have the packages that its environment needs on the given OCI platforms. Every pinned package of the
// workspace must be in each index format that a solver may read. For all other requirements, and for the requirements of the pinned packages, the
// name must exist. Check does not look any deeper, because the solver does this when the image is built. lock is the content of the downstream's
// pixi.lock, or nil if there is none.
//
// Like a solver with strict channel priority, Check uses the first channel that has a name. If no readable channel has the name, but an
// unreadable one may have it (see [UnreadError]), the name is left to the solver. The returned evidence lists these names and channels.
func Check(ctx context.Context, d *workspace.Downstream, open Opener, platforms []string, lock []byte) (evidence string, err error) {
	c := &check{search: newSearch(open), left: map[string][]string{}}
	for _, platform := range platforms {
		e, err := newEnvironment(d, platform)
		if err != nil {
			return "", err
		}
		if err := e.checkLock(d.Dir+"/pixi.lock", lock); err != nil {
			return "", err
		}
		c.environments = append(c.environments, e)
	}
	for _, stage := range []func(context.Context) error{c.findAsked, c.confirmPins, c.findNeeded} {
		if err := stage(ctx); err != nil {
			return "", err
		}
	}
	return c.evidence(platforms), nil
}

// environment contains the requirements of a downstream's environment on one platform.
type environment struct {
	subdir   string
	channels []string              // as written in the manifest, highest priority first
	asks     []manifest.Dependency // requirements on conda packages from channels
	ours     map[string]bool       // names of the workspace's packages
	own      map[string]string     // by name, the channel that the requirement itself sets
	source   map[string]bool       // names that are built from source and so need no channel

	pins []pin // pinned packages of the workspace that were found on a channel
}

// pin is an exact requirement on a package of the workspace, with the channel on which the package's name was found.
type pin struct {
	name, version string
	pos           manifest.Pos
	hit           hit
}

func newEnvironment(d *workspace.Downstream, platform string) (*environment, error) {
	subdir, _ := settings.Subdir(platform)
	resolved, err := d.Manifest.Resolve(manifest.DefaultEnvironment, subdir)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(resolved.Platforms, subdir) {
		return nil, operr.New("add the platform to `platforms` in the features of the environment, or remove "+platform+" from `platforms` in [tool.image]",
			"the environment %s of %s does not support %s", resolved.Environment.Name, d.Manifest.Path, subdir)
	}
	e := &environment{subdir: subdir, channels: resolved.Channels, ours: map[string]bool{}, own: map[string]string{}, source: map[string]bool{}}
	for _, r := range d.Requires {
		e.ours[r.Package] = true
	}
	for _, dep := range resolved.Conda {
		name := manifest.CondaName(dep.Name)
		if dep.Spec.Source() {
			e.source[name] = true
			continue
		}
		if dep.Spec.Channel == "" && len(e.channels) == 0 {
			return nil, operr.New("add `channels = [\"conda-forge\"]` to [workspace] of the manifest", "%s requires %s, but %s lists no channels", dep.Pos, name, d.Manifest.Path)
		}
		e.asks = append(e.asks, dep)
		if dep.Spec.Channel != "" && e.own[name] == "" {
			e.own[name] = dep.Spec.Channel
		}
	}
	return e, nil
}

// exact returns the version that dep pins. It returns false unless dep pins a package of the workspace.
func (e *environment) exact(dep manifest.Dependency) (pinned string, ok bool) {
	pinned, ok = version.Pin(dep.Spec.Text)
	return pinned, ok && e.ours[manifest.CondaName(dep.Name)]
}

// `from` returns the channels that may have a name, highest priority first.
func (e *environment) from(name string) []string {
	if own := e.own[name]; own != "" {
		return []string{own}
	}
	return e.channels
}

// check checks the environments of all platforms together, so that their queries to a channel can be batched.
type check struct {
	*search
	environments []*environment
	left         map[string][]string // names that are left to the solver, by the address of an unreadable channel
}

// findAsked looks up the environments' own requirements.
func (c *check) findAsked(ctx context.Context) error {
	names := map[*environment][]string{}
	for _, e := range c.environments {
		for _, dep := range e.asks {
			names[e] = append(names[e], manifest.CondaName(dep.Name))
		}
	}
	if err := c.round(ctx, c.environments, names); err != nil {
		return err
	}
	for _, e := range c.environments {
		for _, dep := range e.asks {
			name := manifest.CondaName(dep.Name)
			found := c.find(e, name)
			if found.shelf == nil && c.leave(found, name) {
				continue
			}
			pinned, exact := e.exact(dep)
			switch {
			case found.shelf == nil && exact:
				return explainInvisible(dep.Pos, name, pinned, c.addresses(e, name), e.subdir)
			case found.shelf == nil:
				return explainMissing(dep.Pos.String(), name, c.addresses(e, name), e.subdir)
			case exact:
				e.pins = append(e.pins, pin{name: name, version: pinned, pos: dep.Pos, hit: found})
			}
		}
	}
	return nil
}

// leave records that a name is left to the solver, because it may be on a channel that could not be read. It returns false if all channels were
// read.
func (c *check) leave(h hit, name string) bool {
	for _, address := range h.unread {
		if !slices.Contains(c.left[address], name) {
			c.left[address] = append(c.left[address], name)
		}
	}
	return len(h.unread) > 0
}

// confirmPins requires that every index format contains each pin. If a pin is missing but an unreadable channel of higher priority may have it,
// the pin is left to the solver.
func (c *check) confirmPins(ctx context.Context) error {
	if err := c.readForms(ctx, c.environments); err != nil {
		return err
	}
	for _, e := range c.environments {
		var seen []pin
		for _, p := range e.pins {
			lacking, ok := p.hit.shelf.shows(p.name, p.version, e.subdir)
			switch {
			case ok:
				seen = append(seen, p)
			case !c.leave(p.hit, p.name):
				return explainInvisible(p.pos, p.name, p.version, lacking, e.subdir)
			}
		}
		e.pins = seen
	}
	return nil
}

// findNeeded looks up the names that the pinned packages require. If a version has several builds, it is enough if one build's requirements are
// all found.
func (c *check) findNeeded(ctx context.Context) error {
	names := map[*environment][]string{}
	for _, e := range c.environments {
		for _, p := range e.pins {
			for _, build := range p.builds() {
				names[e] = append(names[e], e.needs(build)...)
			}
		}
	}
	if err := c.round(ctx, c.environments, names); err != nil {
		return err
	}
	for _, e := range c.environments {
		for _, p := range e.pins {
			if err := c.complete(e, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete requires that a pinned package has a build whose requirements were all found or are left to the solver.
func (c *check) complete(e *environment, p pin) (lacking error) {
	for _, build := range p.builds() {
		absent := slices.DeleteFunc(e.needs(build), func(name string) bool { return c.find(e, name).shelf != nil })
		lost := slices.IndexFunc(absent, func(name string) bool { return len(c.find(e, name).unread) == 0 })
		if lost < 0 {
			for _, name := range absent {
				c.leave(c.find(e, name), name)
			}
			return nil
		}
		if lacking == nil {
			lacking = explainMissing(build.Name+" "+build.Version, absent[lost], c.addresses(e, absent[lost]), e.subdir)
		}
	}
	return lacking
}

// builds returns the records of all builds of the pinned version.
func (p pin) builds() (same []condapkg.Record) {
	for _, r := range p.hit.records {
		if version.Same(r.Version, p.version) {
			same = append(same, r)
		}
	}
	return same
}

// needs returns the names that a package requires from channels. It skips virtual packages, and conditional requirements, which only the solver
// can evaluate.
func (e *environment) needs(r condapkg.Record) (names []string) {
	for _, spec := range r.Depends {
		name := condapkg.ParseMatchSpec(spec).Name
		if name != "" && !strings.HasPrefix(name, "__") && !strings.Contains(spec, ";") && !e.source[name] {
			names = append(names, name)
		}
	}
	return names
}

// evidence returns a summary of what was found and of the channels that could not be read.
func (c *check) evidence(platforms []string) string {
	pins, names := map[string]bool{}, maps.Clone(c.found)
	for _, e := range c.environments {
		for _, p := range e.pins {
			pins[p.name] = true
			delete(names, p.name)
		}
	}
	for _, left := range c.left {
		for _, name := range left {
			delete(names, name)
		}
	}
	said := fmt.Sprintf("%s and %s, for %s", operr.Count(len(pins), "pin"), operr.Count(len(names), "name"), strings.Join(platforms, " and "))
	for _, address := range c.unread {
		what := "nothing was"
		if left := c.left[address]; len(left) > 0 {
			what = strings.Join(left, ", ") + " not"
		}
		said += "; " + what + " looked for on " + address
	}
	return said
}

func explainInvisible(pos manifest.Pos, name, pinned, where, subdir string) error {
	return operr.New("publish this version, or wait until `mage channel:show` shows the version; to pin another version, run `mage app:upgrade`; to read a private channel, set RATTLER_AUTH_FILE",
		"%s: %s %s is not visible on %s for %s", pos, name, pinned, where, subdir)
}

func explainMissing(who, name, where, subdir string) error {
	return operr.New("publish this package for the platform, or remove the platform from `platforms` in [tool.image]; to read a private channel, set RATTLER_AUTH_FILE",
		"%s requires %s, but no channel has this package for %s; these channels were searched: %s", who, name, subdir, where)
}
