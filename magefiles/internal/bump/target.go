package bump

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// lockstep moves all packages to one version. Where they are not at one now, the highest counts, and the others drifted.
func (p *planner) lockstep(ctx context.Context) error {
	if p.req.Only != "" {
		return operr.NewUsage(`leave -only out, or set versioning = "independent" in [tool.release]`, "all packages have one version here, and none can be bumped alone")
	}
	order := p.w.Order()
	at := p.now[order[0].Name]
	for _, pkg := range order {
		if v := p.now[pkg.Name]; v.Compare(at) > 0 {
			at = v
		}
	}
	goal, why, err := p.goal(ctx, at, "", nil)
	if err != nil {
		return err
	}
	for _, pkg := range order {
		now, own := p.now[pkg.Name], why
		if now.Compare(at) != 0 {
			p.apart = true
			p.drift = append(p.drift, fmt.Sprintf("%s: %s is at %s, and others are at %s", pkg.Version.Pos, pkg.Name, now, at))
			own = slices.Concat([]Reason{{Kind: Drifted, Text: "it had drifted to " + now.String()}}, why)
		}
		if now.Compare(goal) != 0 {
			p.move(pkg.Name, goal, p.lockstepReasons(pkg, own)...)
		}
	}
	return nil
}

// lockstepReasons are a package's own commits among those that made all of them move, or that the others move.
func (p *planner) lockstepReasons(pkg *workspace.Package, why []Reason) []Reason {
	out := []Reason{}
	for _, r := range why {
		if r.Kind == ByCommit {
			if r = r.of(pkg.Name); len(r.Commits) == 0 {
				continue
			}
		}
		out = append(out, r)
	}
	if len(p.w.Packages) > 1 {
		out = append(out, Reason{Kind: Lockstep, Text: "all packages have one version"})
	}
	return out
}

// independent moves the package that is asked for, or all, and then whatever pins one that moves.
func (p *planner) independent(ctx context.Context) error {
	asked := p.w.Order()
	switch {
	case p.req.Only != "":
		pkg, err := p.w.Package(p.req.Only)
		if err != nil {
			return err
		}
		asked = []*workspace.Package{pkg}
	case p.to.exact != nil && len(asked) > 1:
		return operr.NewUsage("say -only=NAME", "versions are independent here: -to=%s has to be of one package", p.to.exact)
	}
	for _, pkg := range asked {
		goal, why, err := p.goal(ctx, p.now[pkg.Name], pkg.Name, pkg)
		if err != nil {
			return err
		}
		if goal.Compare(p.now[pkg.Name]) != 0 {
			for i, r := range why {
				why[i] = r.of(pkg.Name)
			}
			p.move(pkg.Name, goal, why...)
		}
	}
	if p.to.exact == nil && len(p.moves) == 0 {
		p.note("nothing to release: no package has a commit since its last tag that is a feat, a fix or breaking")
	}
	p.tellAccounts()
	return p.spread(ctx)
}

// goal is where the request leads from a version, and why. name is the package's, for its tags and commits; "" for all.
func (p *planner) goal(ctx context.Context, at version.Version, name string, pkg *workspace.Package) (version.Version, []Reason, error) {
	why := []Reason{{Kind: Asked, Text: "asked for: " + p.req.To}}
	switch {
	case p.to.exact != nil && p.to.exact.Parts() == 1 && at.Parts() > 1:
		text := p.to.exact.String()
		behind := strings.TrimLeft(text, "0123456789") // such as rc1
		whole := strings.TrimSuffix(text, behind) + strings.Repeat(".0", at.Parts()-1) + behind
		return at, nil, operr.NewUsage("say -to="+whole, "-to=%s has one number, and the version now, %s, has %d", text, at, at.Parts())
	case p.to.exact != nil:
		if p.to.exact.Compare(at) < 0 {
			return at, nil, operr.New("say a later version, or undo the bump with git", "%s comes before %s, which is the version now", p.to.exact, at)
		}
		return *p.to.exact, why, p.noteTaken(ctx, name, at)
	case !p.to.auto && p.to.phase == "":
		v, err := p.next(ctx, name, at, p.to.size)
		return v, why, err
	case p.to.phase == "post":
		v, err := at.NextPre(p.to.phase, version.None)
		if err = asUsage(err); err == nil && p.history.History != nil {
			err = p.refuseTaken(ctx, name, v)
		}
		return v, why, err
	}
	found, err := p.sinceLastTag(ctx, at, name, pkg)
	if err != nil && p.to.phase == "" {
		return at, nil, err
	}
	if p.to.phase != "" {
		v, err := p.pre(at, found)
		if err = asUsage(err); err == nil && p.history.History != nil {
			err = p.refuseTaken(ctx, name, v)
		}
		return v, why, err
	}
	return p.autoGoal(ctx, at, name, found)
}

// noteTaken notes that the version which is asked for, and is not the one now, is out already.
func (p *planner) noteTaken(ctx context.Context, name string, at version.Version) error {
	if p.history.History == nil || p.to.exact.Compare(at) == 0 {
		return nil
	}
	tag, err := p.of(ctx, name, *p.to.exact)
	if tag != "" {
		p.note("%s is out already, by the tag %s: -tag will be refused", p.to.exact, tag)
	}
	return err
}

// pre is the next version of a phase: on the way to the release that the commits ask for, where there are some.
func (p *planner) pre(at version.Version, found sinceTag) (version.Version, error) {
	if found.last != nil && found.last.version.Compare(at) > 0 { // the manifests were left behind
		at = found.last.version
	}
	if at.Prerelease() && found.last != nil {
		if release := found.last.version.Next(found.size); release.Compare(at.Release()) > 0 {
			return release.NextPreOf(p.to.phase)
		}
	}
	return at.NextPre(p.to.phase, found.size)
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return operr.NewUsage("say a version, such as -to=1.2.0", "%w", err)
}

// spread moves every package that requires a moving one in such a way that its own requirement has to be written anew:
// what it asks for has changed, so it is another package. Packages whose version stands in one place move together.
func (p *planner) spread(ctx context.Context) error {
	for range len(p.w.Packages) + 1 {
		before := len(p.moves)
		for _, pkg := range p.w.Order() {
			if err := p.follow(ctx, pkg); err != nil {
				return err
			}
		}
		p.share()
		if len(p.moves) == before {
			break
		}
	}
	return nil
}

// follow moves a package by a patch when it has to follow one that it requires.
func (p *planner) follow(ctx context.Context, pkg *workspace.Package) error {
	if p.moves[pkg.Name] != nil {
		return nil
	}
	for _, r := range pkg.Requires {
		if r.Package == pkg.Name || r.Role == manifest.RoleGroup || !p.rewrites(r) {
			continue // a dependency group is in no artifact
		}
		goal, err := p.patch(ctx, pkg.Name, p.goals[r.Package])
		if err != nil {
			return err
		}
		p.move(pkg.Name, goal, Reason{Kind: Pinned, Text: fmt.Sprintf("its requirement on %s moves to %s (%s:%d)", r.Package, p.goals[r.Package], r.File, r.Line)})
		return nil
	}
	return nil
}

// patch is the least move of a package: a patch, or a pre-release of one for a package that requires a pre-release.
func (p *planner) patch(ctx context.Context, name string, required version.Version) (version.Version, error) {
	at := p.now[name]
	if required.Prerelease() && p.to.phase != "" {
		v, err := at.NextPre(p.to.phase, version.Patch)
		return v, asUsage(err)
	}
	return p.next(ctx, name, at, version.Patch)
}

// share lets packages whose version stands in one place, such as [workspace] version, move together.
func (p *planner) share() {
	places := map[manifest.Pos][]*workspace.Package{}
	for _, pkg := range p.w.Order() {
		if pkg.Version.Text != "" {
			places[pkg.Version.Pos] = append(places[pkg.Version.Pos], pkg)
		}
	}
	for _, together := range places {
		var leader *workspace.Package
		for _, pkg := range together {
			if p.moves[pkg.Name] != nil && (leader == nil || p.goals[pkg.Name].Compare(p.goals[leader.Name]) > 0) {
				leader = pkg
			}
		}
		for _, pkg := range together {
			if leader != nil && p.goals[pkg.Name].Compare(p.goals[leader.Name]) != 0 {
				p.move(pkg.Name, p.goals[leader.Name], Reason{Kind: Shared, Text: fmt.Sprintf("its version stands in %s:%d, with that of %s", pkg.Version.Pos.File, pkg.Version.Pos.Line, leader.Name)})
			}
		}
	}
}
