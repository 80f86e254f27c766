// Package available answers, before an image is built, whether the environment of a downstream can be had from its channels on every
// platform. What it cannot see from here it says, and leaves to the solver in the build.
//
//	available.go   an environment: its pins in every form of the index, what it asks for by name, and what its pinned packages ask for
//	search.go      names are looked for on channels in rounds, so that each is asked little
//	lock.go        a lock file has every platform and every pin
//	pixiconfig.go  pixi's configuration, which says where channels are mirrored
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

// Check reports whether a downstream's environment can be had from its channels for platforms of OCI: every pin on a
// package of the workspace is in every form of the index that a solver may read; and what it asks for besides, and what
// its pinned packages ask for, is there by name. What lies deeper is the solver's to find, while the image is built. lock
// is the text of its pixi.lock, nil where there is none.
//
// A name is taken from the first channel that has it, as a solver takes it with strict channel priority. Where that may be
// a channel that cannot be looked into (see [UnreadError]), a name that no other channel has is the solver's to find too:
// the evidence then says what was not looked for, and where.
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

// environment is what a downstream's environment asks channels for on one platform.
type environment struct {
	subdir   string
	channels []string              // as the manifest writes them, highest priority first
	asks     []manifest.Dependency // on conda packages of channels
	ours     map[string]bool       // names of packages of the workspace
	own      map[string]string     // by name, the only channel that it may come from; no entry for most
	source   map[string]bool       // names that are built from source, which no channel needs to have

	pins []pin // those of asks that are on a channel, and ours
}

// pin is one exact requirement on a package of the workspace, and where the name was found.
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
		return nil, operr.New("add it to platforms of its features, or take "+platform+" out of [tool.image]",
			"the environment %s of %s is not made for %s", resolved.Environment.Name, d.Manifest.Path, subdir)
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
			return nil, operr.New("add channels to its [workspace]", "%s asks for %s, and %s names no channel", dep.Pos, name, d.Manifest.Path)
		}
		e.asks = append(e.asks, dep)
		if dep.Spec.Channel != "" && e.own[name] == "" {
			e.own[name] = dep.Spec.Channel
		}
	}
	return e, nil
}

// exact returns the version that a requirement on a package of the workspace pins.
func (e *environment) exact(dep manifest.Dependency) (pinned string, ok bool) {
	pinned, ok = version.Pin(dep.Spec.Text)
	return pinned, ok && e.ours[manifest.CondaName(dep.Name)]
}

// from are the channels that a name may come from, highest priority first.
func (e *environment) from(name string) []string {
	if own := e.own[name]; own != "" {
		return []string{own}
	}
	return e.channels
}

// check goes through the environments of all platforms side by side, so that each channel is asked once for all of them.
type check struct {
	*search
	environments []*environment
	left         map[string][]string // names that were not looked for, by the address of the channel that may have them
}

// findAsked looks for what the environments ask for themselves.
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

// leave notes that a name was not looked for where it may be; false where all channels were looked into.
func (c *check) leave(h hit, name string) bool {
	for _, address := range h.unread {
		if !slices.Contains(c.left[address], name) {
			c.left[address] = append(c.left[address], name)
		}
	}
	return len(h.unread) > 0
}

// confirmPins wants every pin in every form of the index. One that may be on a channel of higher priority, which cannot be
// looked into, is left to the solver where it is not there.
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

// findNeeded looks for what the pinned packages ask for, by name. A version may have several builds: one of which everything
// is there will do.
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

// complete wants one build of a pinned package of which every name is there, or may be.
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

// builds are the records of the version that is pinned.
func (p pin) builds() (same []condapkg.Record) {
	for _, r := range p.hit.records {
		if version.Same(r.Version, p.version) {
			same = append(same, r)
		}
	}
	return same
}

// needs are the names that a package asks channels for: no properties of the machine, and nothing that depends on a
// condition, which is the solver's to judge.
func (e *environment) needs(r condapkg.Record) (names []string) {
	for _, spec := range r.Depends {
		name := condapkg.ParseMatchSpec(spec).Name
		if name != "" && !strings.HasPrefix(name, "__") && !strings.Contains(spec, ";") && !e.source[name] {
			names = append(names, name)
		}
	}
	return names
}

// evidence says what was seen, and what was not looked at.
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
	return operr.New("publish it, or wait until the index shows it: `mage channel:show`; `mage app:upgrade` takes another version; a private channel is read with RATTLER_AUTH_FILE",
		"%s: %s %s is not visible on %s for %s", pos, name, pinned, where, subdir)
}

func explainMissing(who, name, where, subdir string) error {
	return operr.New("publish it for that platform, or take the platform out of [tool.image]; a private channel is read with RATTLER_AUTH_FILE",
		"%s asks for %s, and no channel has it for %s: %s", who, name, subdir, where)
}
