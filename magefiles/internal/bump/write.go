package bump

import (
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// write makes the edits for all versions and requirements.
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
		// An environment may use an older, published version on purpose, unless the requirement has a path.
		if err := p.writeRequirement(r, r.Path != ""); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) writeVersions(pkg *workspace.Package) error {
	goal, moves := p.goals[pkg.Name], p.moves[pkg.Name] != nil
	if old := p.copied[pkg.Name]; old != "" {
		does := "changes now"
		if !moves && !p.req.FixDrift {
			does = "stays, unless -fixDrift is passed"
		}
		p.note("%s: %s has version %s according to its last tag; the copy %s in this file %s", pkg.Version.Pos, pkg.Name, p.now[pkg.Name], old, does)
	}
	for _, v := range pkg.Versions {
		if v.Text == "" {
			p.dynamicNote(pkg, v)
			continue
		}
		if !version.Same(v.Says(), pkg.Version.Says()) && pkg.Version.Text != "" {
			p.drift = append(p.drift, fmt.Sprintf("%s: %s has version %s, but %s in %s:%d", v.Pos, pkg.Name, v.Text, pkg.Version.Text, pkg.Version.Pos.File, pkg.Version.Pos.Line))
		}
		text := v.Spell(goal)
		if version.Same(v.Says(), goal.String()) && (!moves || v.Text == text) {
			continue
		}
		if !moves && !p.req.FixDrift && pkg.FromTags() != nil {
			continue // a bump of another package does not correct an outdated copy
		}
		if text == "" {
			p.note("%s: Cargo cannot spell %s, so %s stays in this file", v.Pos, goal, v.Text)
			continue
		}
		if err := p.edit.Version(v, text, "version of "+pkg.Name); err != nil {
			return err
		}
	}
	return nil
}

// writeTogether edits the workspace-wide copies of the common version, if that version changes.
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

// dynamicNote adds a note about the tool that computes a version which is not in a file.
func (p *planner) dynamicNote(pkg *workspace.Package, v manifest.Version) {
	switch {
	case p.moves[pkg.Name] == nil:
	case v.Source == manifest.VersionTag:
		p.note("%s: %s derives the version of %s from the tag, so only copies of the version are edited", v.Pos, v.Detail, pkg.Name)
	case v.Source == manifest.VersionDynamic:
		p.note("%s: %s computes the version of %s during the build: check that the result is %s", v.Pos, v.Detail, pkg.Name, p.goals[pkg.Name])
	}
}

// isSettled reports whether a bump never changes a requirement: it admits any version, the pool or the backend maintains it, or its sources are not
// in the workspace.
func isSettled(r workspace.Requirement) bool {
	s := r.Dependency.Spec
	text := strings.TrimSpace(r.Spec)
	return r.Inherited || text == "" || text == "*" || s.PinCompatible || s.PinSubpackage || s.Git != "" || s.URL != ""
}

// rewrites reports whether a requirement, or the pool entry that it inherits, must be rewritten because packages move.
func (p *planner) rewrites(r workspace.Requirement) bool {
	if goal, moves := p.goals[r.Package], p.moves[r.Package] != nil; r.Pin != "" {
		return (moves || p.req.FixDrift) && !version.Same(r.Pin, goal.String())
	} else if !moves || isSettled(r) {
		return false
	}
	admitted, err := p.admits(r)
	return err == nil && !admitted
}

// writeRequirement updates an exact pin if its package moves, and checks that a range still admits the new version. If `strict` is set, a pin on a
// version other than the package's current one is drift.
func (p *planner) writeRequirement(r workspace.Requirement, strict bool) error {
	now, goal := p.now[r.Package], p.goals[r.Package]
	switch {
	case isSettled(r):
		return nil
	case r.Pin == "":
		return p.writeRange(r)
	case !version.Same(r.Pin, now.String()) && version.Same(r.Pin, p.copied[r.Package]):
		if p.moves[r.Package] == nil && !p.req.FixDrift {
			return nil // the pin and the manifest have the same outdated version
		}
	case !version.Same(r.Pin, now.String()):
		if !strict {
			p.note("%s:%d pins %s to %s, which is not the current version, so the pin is not changed", r.File, r.Line, r.Name, r.Pin)
			return nil
		}
		p.drift = append(p.drift, fmt.Sprintf("%s: %s is pinned to %s, but its version is %s", r.Pos, r.Name, r.Pin, now))
	case p.moves[r.Package] == nil:
		return nil
	}
	if r.Pin == goal.String() {
		return nil
	}
	p.asks = true
	return p.edit.Spec(r, r.Pin, goal.String(), "pin on "+r.Package)
}

// writeRange handles a range that excludes the new version: it raises the range if that was requested, and otherwise reports it.
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

// readRange parses a requirement in the syntax of its table.
func readRange(r workspace.Requirement) (version.Range, error) {
	switch {
	case r.Kind == manifest.Conda:
		return version.CondaRange(r.Spec)
	case strings.HasPrefix(r.Table, "tool.poetry"):
		return version.PoetryRange(r.Spec)
	}
	return version.PEP440Range(r.Spec)
}
