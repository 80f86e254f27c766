package bump

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Available tells what a downstream can get.
type Available interface {
	// Versions returns the versions of each package, by its conda name, that the downstream's channel has for any of its
	// platforms.
	Versions(ctx context.Context, d *workspace.Downstream, names []string) (map[string][]string, error)
}

// Upgrade works out how downstreams move their pins on the workspace's packages: to the version that is asked for, which
// may be an older one, or to the newest one that the channel has, pre-releases aside. Where all packages have one version
// it is the newest that the channel has of all that the downstream takes.
func Upgrade(ctx context.Context, w *workspace.Workspace, downstreams []*workspace.Downstream, req Request, channel Available) (*Plan, error) {
	p := newPlanner(w, req, nil)
	p.plan.Read = map[string]string{}
	exact, err := exactVersion(req.To)
	if err != nil {
		return nil, err
	}
	for _, d := range downstreams {
		u := &upgrade{planner: p, d: d, exact: exact, goals: map[string]version.Version{}}
		if err := u.plan(ctx, channel); err != nil {
			return nil, err
		}
	}
	if len(p.ranges) > 0 {
		return nil, operr.New("widen them, or say -ranges=raise", "the new version would leave %s; nothing was changed", operr.Count(len(p.ranges), "range")).WithDetail(strings.Join(p.ranges, "\n"))
	}
	p.plan.Files, err = p.edit.Files()
	return p.plan, err
}

// exactVersion reads the version that is asked for; nil for none.
func exactVersion(to string) (*version.Version, error) {
	if to == "" {
		return nil, nil
	}
	const next = "say a version, such as -to=0.2.0, or leave it out for the newest"
	switch t, err := readTarget(to); {
	case err != nil:
		return nil, operr.NewUsage(next, "%w", err)
	case t.exact == nil:
		return nil, operr.NewUsage(next, "-to=%s: a downstream takes what is published, and counts nothing up", to)
	default:
		return t.exact, nil
	}
}

// upgrade is one downstream's part of a plan.
type upgrade struct {
	*planner
	d     *workspace.Downstream
	exact *version.Version
	goals map[string]version.Version
}

func (u *upgrade) plan(ctx context.Context, channel Available) error {
	for _, file := range []string{u.d.Manifest.Path, u.d.Pyproject} {
		if file != "" {
			u.planner.plan.Read[file] = edits.Digest(u.edit.Source(file))
		}
	}
	requires := slices.DeleteFunc(slices.Clone(u.d.Requires), isSettled)
	var names []string
	for _, r := range requires {
		if !slices.Contains(names, r.Package) {
			names = append(names, r.Package)
		}
	}
	if len(names) == 0 {
		u.note("%s asks for no version of any package: there is nothing to move", u.d.Manifest.Path)
		return nil
	}
	why := Reason{Kind: Asked, Text: "asked for: " + u.req.To}
	if u.exact != nil && u.w.Config.Versioning == settings.Independent && len(names) > 1 {
		return operr.NewUsage("leave -to out for the newest version of each, or write the pin that you mean into "+u.d.Manifest.Path+" yourself",
			"-to=%s is the version of one package, and %s takes %s, which have versions of their own; nothing was changed", u.req.To, u.d.Name(), strings.Join(names, ", "))
	}
	if u.exact == nil {
		why = Reason{Kind: Newest, Text: "the newest on the channel"}
		if err := u.newest(ctx, channel, names); err != nil {
			return err
		}
	}
	for _, name := range names {
		if u.exact != nil {
			u.goals[name] = *u.exact
		}
		if err := u.moveTo(name, requires, why); err != nil {
			return err
		}
	}
	u.lockNote()
	return nil
}

// moveTo edits every requirement on one package.
func (u *upgrade) moveTo(name string, requires []workspace.Requirement, why Reason) error {
	goal, before := u.goals[name], ""
	for _, r := range requires {
		if r.Package != name {
			continue
		}
		if r.Pin == "" {
			u.planner.goals[name], u.moves[name] = goal, &Move{}
			if err := u.writeRange(r); err != nil {
				return err
			}
			continue
		}
		if before == "" || version.Same(before, goal.String()) {
			before = r.Pin
		}
		if r.Pin != goal.String() {
			if err := u.edit.Spec(r, r.Pin, goal.String(), "pin on "+name); err != nil {
				return err
			}
		}
	}
	if before != "" && !version.Same(before, goal.String()) {
		u.planner.plan.Packages = append(u.planner.plan.Packages, Move{In: u.w.Label(u.d), Name: name, Old: before, New: goal.String(), Why: []Reason{why}})
	}
	return nil
}

// newest asks the channel, and picks.
func (u *upgrade) newest(ctx context.Context, channel Available, names []string) error {
	all, err := channel.Versions(ctx, u.d, names)
	if err != nil {
		return err
	}
	anyOf := func(version.Version) bool { return true }
	for _, name := range names {
		if pickHighest(all[name], anyOf) == nil {
			return operr.New("publish it first, or say -to=VERSION", "the channel has no release of %s", name)
		}
	}
	together := u.w.Config.Versioning == settings.Lockstep
	for _, name := range names {
		best := pickHighest(all[name], func(v version.Version) bool {
			return !together || !slices.ContainsFunc(names, func(other string) bool { return !has(all[other], v) })
		})
		if best == nil {
			return operr.New("complete the release, or say -to=VERSION", "the channel has no version of all that %s takes: %s", u.d.Name(), strings.Join(names, ", "))
		}
		if newer := pickHighest(all[name], anyOf); newer.Compare(*best) > 0 {
			u.note("the channel has %s %s, but not every package that %s takes in that version", name, newer, u.d.Name())
		}
		u.goals[name] = *best
	}
	return nil
}

// pickHighest returns the highest release among versions that fits; versions in no common spelling are passed over.
func pickHighest(versions []string, fits func(version.Version) bool) *version.Version {
	var best *version.Version
	for _, text := range versions {
		v, err := version.Parse(text)
		if err == nil && !v.Prerelease() && fits(v) && (best == nil || v.Compare(*best) > 0) {
			best = &v
		}
	}
	return best
}

func has(versions []string, v version.Version) bool {
	return slices.ContainsFunc(versions, func(text string) bool { return version.Same(text, v.String()) })
}

// lockNote reminds of a lock file, which names the old artifacts.
func (u *upgrade) lockNote() {
	if lock := path.Join(u.d.Dir, workspace.LockFile); isLocked(u.w, u.d.Dir) && u.edit.Has(u.d.Manifest.Path) {
		u.note("%s names the old version: `mage lock` makes it anew", lock)
	}
}

// isLocked reports whether a lock file stands in a folder of the workspace.
func isLocked(w *workspace.Workspace, dir string) bool {
	_, err := os.Stat(filepath.Join(w.Root, filepath.FromSlash(dir), workspace.LockFile))
	return err == nil
}
