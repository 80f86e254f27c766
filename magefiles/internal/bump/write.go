package bump

import (
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// write makes the edits: every place of a version and every requirement gets what it has to say.
func (p *planner) write() error {
	for _, pkg := range p.w.Order() {
		if err := p.writeVersions(pkg); err != nil {
			return err
		}
		for _, r := range pkg.Requires {
			if err := p.writeRequirement(r, true); err != nil {
				return err
			}
		}
	}
	if err := p.writeTogether(); err != nil {
		return err
	}
	if err := p.writeCopies(); err != nil {
		return err
	}
	for _, r := range p.w.Requires {
		// An environment may hold an older, published version on purpose; one beside a path cannot.
		if err := p.writeRequirement(r, r.Path != ""); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) writeVersions(pkg *workspace.Package) error {
	goal, moves := p.goals[pkg.Name], p.moves[pkg.Name] != nil
	if old := p.copied[pkg.Name]; old != "" {
		does := "follows now"
		if !moves && !p.req.FixDrift {
			does = "stays, unless -fixDrift is said"
		}
		p.note("%s: %s is at %s by its last tag, and the %s there, which is a copy, %s", pkg.Version.Pos, pkg.Name, p.now[pkg.Name], old, does)
	}
	for _, v := range pkg.Versions {
		if v.Text == "" {
			p.dynamicNote(pkg, v)
			continue
		}
		if !version.Same(v.Says(), pkg.Version.Says()) && pkg.Version.Text != "" {
			p.drift = append(p.drift, fmt.Sprintf("%s: %s has version %s there, and %s in %s:%d", v.Pos, pkg.Name, v.Text, pkg.Version.Text, pkg.Version.Pos.File, pkg.Version.Pos.Line))
		}
		text := v.Spell(goal)
		if version.Same(v.Says(), goal.String()) && (!moves || v.Text == text) {
			continue
		}
		if !moves && !p.req.FixDrift && pkg.FromTags() != nil {
			continue // a copy that was not kept up is nothing that the bump of another package is about
		}
		if text == "" {
			p.note("%s: Cargo has no spelling of %s, and the %s there stays", v.Pos, goal, v.Text)
			continue
		}
		if err := p.edit.Version(v, text, "version of "+pkg.Name); err != nil {
			return err
		}
	}
	return nil
}

// writeTogether edits the copies of the version that all packages have, where it moves.
func (p *planner) writeTogether() error {
	for _, v := range p.w.Copies {
		for _, m := range p.moves {
			if goal := p.goals[m.Name]; version.Same(v.Text, m.Old) && v.Text != goal.String() {
				if err := p.edit.Version(v, goal.String(), "version of the workspace"); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// dynamicNote says of a version that stands nowhere who makes it.
func (p *planner) dynamicNote(pkg *workspace.Package, v manifest.Version) {
	switch {
	case p.moves[pkg.Name] == nil:
	case v.Source == manifest.VersionTag:
		p.note("%s: %s makes the version of %s from the tag; only copies of it are edited", v.Pos, v.Detail, pkg.Name)
	case v.Source == manifest.VersionDynamic:
		p.note("%s: %s makes the version of %s while building: see that it makes %s", v.Pos, v.Detail, pkg.Name, p.goals[pkg.Name])
	}
}

// isSettled reports whether a requirement says nothing that a bump could change: any version, one that the pool or the
// backend maintains, or sources that are not the workspace's.
func isSettled(r workspace.Requirement) bool {
	s := r.Dependency.Spec
	text := strings.TrimSpace(r.Spec)
	return r.Inherited || text == "" || text == "*" || s.PinCompatible || s.PinSubpackage || s.Git != "" || s.URL != ""
}

// rewrites reports whether a requirement has to be written anew, now that packages move: itself, or the pool's entry that
// it takes.
func (p *planner) rewrites(r workspace.Requirement) bool {
	if goal, moves := p.goals[r.Package], p.moves[r.Package] != nil; r.Pin != "" {
		return (moves || p.req.FixDrift) && !version.Same(r.Pin, goal.String())
	} else if !moves || isSettled(r) {
		return false
	}
	admitted, err := p.admits(r)
	return err == nil && !admitted
}

// writeRequirement moves an exact pin along with its package, and looks whether a range still admits it. strict says that
// a pin on another version than the package has is a contradiction.
func (p *planner) writeRequirement(r workspace.Requirement, strict bool) error {
	now, goal := p.now[r.Package], p.goals[r.Package]
	switch {
	case isSettled(r):
		return nil
	case r.Pin == "":
		return p.writeRange(r)
	case !version.Same(r.Pin, now.String()) && version.Same(r.Pin, p.copied[r.Package]):
		if p.moves[r.Package] == nil && !p.req.FixDrift {
			return nil // it was not kept up, together with the version in the manifest
		}
	case !version.Same(r.Pin, now.String()):
		if !strict {
			p.note("%s:%d pins %s to %s, which is not its version: left alone", r.File, r.Line, r.Name, r.Pin)
			return nil
		}
		p.drift = append(p.drift, fmt.Sprintf("%s: %s is pinned to %s there, and is at %s", r.Pos, r.Name, r.Pin, now))
	case p.moves[r.Package] == nil:
		return nil
	}
	if r.Pin == goal.String() {
		return nil
	}
	p.asks = true
	return p.edit.Spec(r, r.Pin, goal.String(), "pin on "+r.Package)
}

// writeRange leaves a range alone that admits the new version, and else raises it if so asked.
func (p *planner) writeRange(r workspace.Requirement) error {
	if p.moves[r.Package] == nil {
		return nil
	}
	goal := p.goals[r.Package]
	spec, err := readRange(r)
	if err != nil {
		p.ranges = append(p.ranges, fmt.Sprintf("%s: %s: %v", r.Pos, r.Name, err))
		return nil
	}
	if spec.Has(goal) {
		return nil
	}
	if !p.req.Raise {
		p.ranges = append(p.ranges, fmt.Sprintf("%s: %s %s does not admit %s", r.Pos, r.Name, r.Spec, goal))
		return nil
	}
	raised, err := spec.Raise(goal)
	if err != nil {
		p.ranges = append(p.ranges, fmt.Sprintf("%s: %s: %v", r.Pos, r.Name, err))
		return nil
	}
	p.asks = true
	return p.edit.Spec(r, r.Spec, raised, "range of "+r.Package)
}

func (p *planner) admits(r workspace.Requirement) (bool, error) {
	spec, err := readRange(r)
	return err == nil && spec.Has(p.goals[r.Package]), err
}

// readRange reads a requirement in the language of its table.
func readRange(r workspace.Requirement) (version.Range, error) {
	switch {
	case r.Kind == manifest.Conda:
		return version.CondaRange(r.Spec)
	case strings.HasPrefix(r.Table, "tool.poetry"):
		return version.PoetryRange(r.Spec)
	}
	return version.PEP440Range(r.Spec)
}
