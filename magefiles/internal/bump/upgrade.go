package bump

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/bump/target"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Available provides the versions that a downstream can install.
type Available interface {
	// Versions returns the versions that the downstream's channel has for any of its platforms, keyed by conda package name.
	Versions(ctx context.Context, d *workspace.Downstream, names []string) (map[string][]string, error)
}

// Upgrade plans how downstreams move their pins on the workspace's packages. The target is the requested version, which may be older, or the newest
// release on the channel. In lockstep it is the newest version that the channel has for all packages that the downstream uses.
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
		return nil, operr.New("widen these ranges, or pass -ranges=raise", "the new version is outside %s; nothing was changed", operr.Count(len(p.ranges), "range")).WithDetail(strings.Join(p.ranges, "\n"))
	}
	p.plan.Files, err = p.edit.Files()
	return p.plan, err
}

// exactVersion parses the requested version, or returns nil if it is empty.
func exactVersion(to string) (*version.Version, error) {
	if to == "" {
		return nil, nil
	}
	const next = "pass a version, such as -to=0.2.0, or omit -to for the newest"
	switch t, err := target.Read(to); {
	case err != nil && version.Suggest(to) != "":
		return nil, err // the error contains the correct spelling
	case err != nil:
		return nil, operr.NewUsage(next, "%w", err)
	case t.Exact == nil:
		return nil, operr.NewUsage(next, "-to=%s is not a version: a downstream uses published versions, and cannot bump them", to)
	default:
		return t.Exact, nil
	}
}

// CheckUpgrade checks the version argument of an upgrade without loading anything. It may be empty.
func CheckUpgrade(to string) error {
	_, err := exactVersion(to)
	return err
}

// upgrade is the part of a plan for one downstream.
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
		u.note("%s pins no version of any package, so there is nothing to change", u.d.Manifest.Path)
		return nil
	}
	why := Reason{Kind: Asked, Text: "asked for: " + u.req.To}
	if u.exact != nil && u.w.Config.Versioning == settings.Independent && len(names) > 1 {
		return operr.NewUsage("omit -to for the newest version of each package, or write the pin that you mean into "+u.d.Manifest.Path+" yourself",
			"-to=%s is the version of one package, but %s uses %s, which have separate versions; nothing was changed", u.req.To, u.d.Name(), strings.Join(names, ", "))
	}
	if u.exact == nil {
		why = Reason{Kind: Newest, Text: "the newest on the channel"}
		if err := u.newest(ctx, channel, names); err != nil {
			return err
		}
	}
	for _, name := range names {
		if u.exact != nil {
			if err := u.refuseOneNumber(name, requires); err != nil {
				return err
			}
			u.goals[name] = *u.exact
		}
		if err := u.moveTo(name, requires, why); err != nil {
			return err
		}
	}
	u.lockNote()
	return nil
}

// refuseOneNumber returns an error for a version with only one number, such as 2, if the current pin (or, without a pin, the package's version) has
// more. A bump has the same rule.
func (u *upgrade) refuseOneNumber(name string, requires []workspace.Requirement) error {
	var now []string
	for _, r := range requires {
		if r.Package == name {
			now = append(now, r.Pin)
		}
	}
	if pkg, err := u.w.Package(name); err == nil {
		now = append(now, pkg.Version.Text)
	}
	for _, text := range now {
		if at, err := version.Parse(text); err == nil {
			return target.RefuseOneNumber(*u.exact, at)
		}
	}
	return nil
}

// moveTo edits every requirement on a package.
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

// newest selects the newest versions on the channel.
func (u *upgrade) newest(ctx context.Context, channel Available, names []string) error {
	all, err := channel.Versions(ctx, u.d, names)
	if err != nil {
		return err
	}
	anyOf := func(version.Version) bool { return true }
	for _, name := range names {
		if pickHighest(all[name], anyOf) == nil {
			return operr.New("publish the package first, or pass -to=VERSION", "the channel has no release of %s", name)
		}
	}
	together := u.w.Config.Versioning == settings.Lockstep
	for _, name := range names {
		best := pickHighest(all[name], func(v version.Version) bool {
			return !together || !slices.ContainsFunc(names, func(other string) bool { return !has(all[other], v) })
		})
		if best == nil {
			return operr.New("complete the release, or pass -to=VERSION", "the channel has no common version of the packages that %s uses: %s", u.d.Name(), strings.Join(names, ", "))
		}
		if newer := pickHighest(all[name], anyOf); newer.Compare(*best) > 0 {
			u.note("the channel has %s %s, but lacks that version of other packages that %s uses", name, newer, u.d.Name())
		}
		u.goals[name] = *best
	}
	return nil
}

// pickHighest returns the highest release for which `fits` returns true. It skips versions that it cannot parse.
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

// lockNote adds a note about a lock file, which still has the old artifacts.
func (u *upgrade) lockNote() {
	if lock := path.Join(u.d.Dir, workspace.LockFile); isLocked(u.w, u.d.Dir) && u.edit.Has(u.d.Manifest.Path) {
		u.note("%s still has the old versions: run `mage lock`", lock)
	}
}

// isLocked reports whether a folder of the workspace has a lock file.
func isLocked(w *workspace.Workspace, dir string) bool {
	_, err := os.Stat(filepath.Join(w.Root, filepath.FromSlash(dir), workspace.LockFile))
	return err == nil
}
