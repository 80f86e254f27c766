package bump

import (
	"context"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump/target"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// lockstep moves all packages to one version. If their versions differ, it starts from the highest, and the other packages have drifted.
func (p *planner) lockstep(ctx context.Context) error {
	if p.req.Only != "" {
		return operr.NewUsage(`omit -only, or set versioning = "independent" in [tool.release]`, "all packages share one version, so -only cannot bump one package alone")
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
			p.drift = append(p.drift, fmt.Sprintf("%s: %s is at %s, but other packages are at %s", pkg.Version.Pos, pkg.Name, now, at))
			own = slices.Concat([]Reason{{Kind: Drifted, Text: "its version had drifted to " + now.String()}}, why)
		}
		if now.Compare(goal) != 0 {
			p.move(pkg.Name, goal, p.lockstepReasons(pkg, own)...)
		}
	}
	return nil
}

// lockstepReasons returns the reasons why a package moves. The reasons list only commits that touch the package. If there are other packages,
// lockstep is a reason, too.
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

// independent moves the requested package, or all packages, and then every package that pins a package that moves.
func (p *planner) independent(ctx context.Context) error {
	asked := p.w.Order()
	switch {
	case p.req.Only != "":
		pkg, err := p.w.Package(p.req.Only)
		if err != nil {
			return err
		}
		asked = []*workspace.Package{pkg}
	case p.to.Exact != nil && len(asked) > 1:
		return operr.NewUsage("pass -only=NAME", "every package has a separate version, so -to=%s needs the name of one package", p.to.Exact)
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
	if p.to.Exact == nil && len(p.moves) == 0 {
		p.note("nothing to release: no package has a feat, a fix or a breaking commit since its last tag")
	}
	p.tellAccounts()
	return p.spread(ctx)
}

// goal returns the version that the request yields for `at`, and the reasons. `name` selects tags and commits, and is "" for all packages.
func (p *planner) goal(ctx context.Context, at version.Version, name string, pkg *workspace.Package) (version.Version, []Reason, error) {
	why := []Reason{{Kind: Asked, Text: "asked for: " + p.req.To}}
	switch {
	case p.to.Exact != nil:
		if err := target.RefuseOneNumber(*p.to.Exact, at); err != nil {
			return at, nil, err
		}
		if p.to.Exact.Compare(at) < 0 {
			return at, nil, operr.New("pass a later version, or undo the last bump with git", "%s is lower than the current version %s", p.to.Exact, at)
		}
		return *p.to.Exact, why, p.noteTaken(ctx, name, at)
	case !p.to.Auto && p.to.Phase == "":
		v, err := p.next(ctx, name, at, p.to.Size)
		return v, why, err
	case p.to.Phase == "post":
		v, err := at.NextPre(p.to.Phase, version.None)
		if err = asUsage(err); err == nil && p.history.History != nil {
			err = p.refuseTaken(ctx, name, v)
		}
		return v, why, err
	}
	found, err := p.sinceLastTag(ctx, at, name, pkg)
	if err != nil && p.to.Phase == "" {
		return at, nil, err
	}
	if p.to.Phase != "" {
		v, err := p.pre(at, found)
		if err = asUsage(err); err == nil && p.history.History != nil {
			err = p.refuseTaken(ctx, name, v)
		}
		return v, why, err
	}
	return p.autoGoal(ctx, at, name, found)
}

// noteTaken adds a note if the requested version was already released, unless it is the current version.
func (p *planner) noteTaken(ctx context.Context, name string, at version.Version) error {
	if p.history.History == nil || p.to.Exact.Compare(at) == 0 {
		return nil
	}
	tag, err := p.of(ctx, name, *p.to.Exact)
	if tag != "" {
		p.note("%s is tagged already, by the tag %s, so -tag will be refused", p.to.Exact, tag)
	}
	return err
}

// pre returns the next version of a pre-release phase. If there are commits, it precedes the release that the commits require.
func (p *planner) pre(at version.Version, found sinceTag) (version.Version, error) {
	if found.last != nil && found.last.version.Compare(at) > 0 { // the manifests are out of date
		at = found.last.version
	}
	if at.Prerelease() && found.last != nil {
		if release := found.last.version.Next(found.size); release.Compare(at.Release()) > 0 {
			return release.NextPreOf(p.to.Phase)
		}
	}
	return at.NextPre(p.to.Phase, found.size)
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return operr.NewUsage("pass a version, such as -to=1.2.0", "%w", err)
}

// spread moves every package whose requirement on a moving package must be rewritten, because a package with a changed requirement needs a new
// version. Packages that share one version definition move together.
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

// follow bumps a package's patch version if a requirement of it must be rewritten.
func (p *planner) follow(ctx context.Context, pkg *workspace.Package) error {
	if p.moves[pkg.Name] != nil {
		return nil
	}
	for _, r := range pkg.Requires {
		if r.Package == pkg.Name || r.Role == manifest.RoleGroup || !p.rewrites(r) {
			continue // dependency groups are not part of an artifact
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

// patch returns the smallest possible move of a package: a patch, or a pre-release of a patch if the required version is a pre-release.
func (p *planner) patch(ctx context.Context, name string, required version.Version) (version.Version, error) {
	at := p.now[name]
	if required.Prerelease() && p.to.Phase != "" {
		v, err := at.NextPre(p.to.Phase, version.Patch)
		return v, asUsage(err)
	}
	return p.next(ctx, name, at, version.Patch)
}

// share moves all packages together that share a version definition, such as [workspace] version.
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
				p.move(pkg.Name, p.goals[leader.Name], Reason{Kind: Shared, Text: fmt.Sprintf("its version is in %s:%d, shared with %s", pkg.Version.Pos.File, pkg.Version.Pos.Line, leader.Name)})
			}
		}
	}
}
