package bump

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/commits"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/bump/message"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/bump/target"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// planner computes a plan.
type planner struct {
	w       *workspace.Workspace
	req     Request
	to      target.Target
	history *commits.Past
	edit    *edits.Editor
	plan    *Plan

	now      map[string]version.Version // current versions, keyed by package name
	goals    map[string]version.Version // new versions; equal to now for packages that do not move
	moves    map[string]*Move           // the packages that move
	copied   map[string]string          // for packages whose last tag is higher: the version in the manifest
	apart    bool                       // the packages must have one version, but have several
	drift    []string                   // a line for each version and pin that disagrees, beginning with its position
	ranges   []string                   // ranges that do not admit a new version
	idle     bool                       // whether the commits require no release
	accounts []string                   // for separate versions: a line for each package about its counted commits
	asks     bool                       // whether a requirement changes
	folders  map[string]string          // folder names that tags may begin with, keyed by package name
}

// New makes a plan to change the versions of a workspace, and all exact pins on them, as requested. It writes nothing. h provides the commits and
// tags. It may be nil outside a git repository. In that case, a request that needs commits or tags is an error.
//
// If the request refers to something that does not exist, the error's exit status is operr.Usage. It is operr.Failed if the manifests disagree, or
// if a range does not admit the new version.
func New(ctx context.Context, w *workspace.Workspace, req Request, h History) (*Plan, error) {
	to, err := target.Read(req.To)
	if err != nil {
		return nil, err
	}
	if err := w.NoPackages(); err != nil {
		return nil, err
	}
	if twice := w.Doubles(); len(twice) > 0 {
		return nil, operr.New("rename one of the two packages in its manifests", "%s: %s", twice[0].Pos, twice[0].Message)
	}
	p := newPlanner(w, req, h)
	p.to = to
	if to.Auto && to.Phase == "" {
		p.req.To = target.Auto
		p.plan.Request.To = target.Auto
	}
	p.plan.Request.Changelog = !req.NoChangelog && (req.Changelog || p.req.To == target.Auto)
	if at, err := Changelog(w); req.IfThere && !req.NoChangelog && err == nil && at.There {
		p.plan.Request.Changelog = true
	}
	if err := p.locate(ctx); err != nil {
		return nil, err
	}
	decide := p.independent
	if w.Config.Versioning == settings.Lockstep {
		decide = p.lockstep
	}
	if err := decide(ctx); err != nil {
		return nil, err
	}
	if err := p.write(); err != nil {
		return nil, err
	}
	return p.finish(ctx)
}

func newPlanner(w *workspace.Workspace, req Request, h History) *planner {
	p := &planner{
		w:       w,
		req:     req,
		history: commits.Of(h, w),
		edit:    edits.New(w),
		now:     map[string]version.Version{},
		goals:   map[string]version.Version{},
		moves:   map[string]*Move{},
		copied:  map[string]string{},
		folders: foldersOf(w),
	}
	p.plan = &Plan{Format: planFormat, Request: req, Packages: []Move{}, Files: []File{}, Notes: []string{}, Tags: []Tag{}, Read: map[string]string{}}
	for name, src := range edits.Sources(w) {
		p.plan.Read[name] = edits.Digest(src)
	}
	return p
}

// locate finds the current version of each package, in its manifest or in its last tag.
func (p *planner) locate(ctx context.Context) error {
	for _, pkg := range p.w.Packages {
		text, err := p.findVersion(ctx, pkg)
		if err != nil {
			return err
		}
		v, err := version.Parse(text)
		if err != nil {
			return explainVersion(pkg, err)
		}
		p.now[pkg.Name], p.goals[pkg.Name] = v, v
	}
	return nil
}

// explainVersion returns an error for a version that cannot be bumped.
func explainVersion(pkg *workspace.Package, err error) error {
	v := pkg.Version
	switch v.Source {
	case manifest.VersionDynamic, manifest.VersionBackend:
		return operr.New("write `version` in [package] of "+pkg.Manifest, "%s: the version of %s is computed during the build (%s), so a bump cannot change it", v.Pos, pkg.Name, v.Detail)
	case manifest.VersionMissing:
		return operr.New("write `version` in [package] of "+pkg.Manifest, "%s: %s has no version", v.Pos, pkg.Name)
	}
	if v.Text == "dynamic" {
		err = fmt.Errorf("%w. No tool computes a version in [package]", err)
		return operr.New("write a version in [package], such as 0.1.0; only pyproject.toml can have a version that a tool computes from tags", "%s: cannot bump %s: %w", v.Pos, pkg.Name, err)
	}
	return operr.New("write a version that conda and PyPI read alike, such as 1.2.0", "%s: cannot bump %s: %w", v.Pos, pkg.Name, err)
}

// move records that a package moves to a version. If it already moves, the higher version wins. All reasons are kept.
func (p *planner) move(name string, to version.Version, why ...Reason) {
	m := p.moves[name]
	if m == nil {
		m = &Move{Name: name, Old: p.now[name].String()}
		p.moves[name] = m
	}
	if m.New == "" || to.Compare(p.goals[name]) > 0 {
		m.New, p.goals[name] = to.String(), to
	}
	m.Why = append(m.Why, why...)
}

// finish completes the plan, or returns an error if the manifests disagree or a range excludes the new version.
func (p *planner) finish(ctx context.Context) (*Plan, error) {
	if len(p.drift) > 0 && !p.req.FixDrift {
		next := "correct these places, or let the bump correct them: `mage version:bump -to=… -fixDrift`"
		if p.apart {
			next += ", " + p.w.TheirOwn()
		}
		return nil, operr.New(next, "the manifests disagree in %s; nothing was changed", operr.Count(len(p.drift), "place")).WithDetail(strings.Join(p.drift, "\n"))
	}
	if len(p.ranges) > 0 {
		next := "widen these ranges, or pass -ranges=raise"
		if p.req.Raise {
			next = "write ranges that admit the new version"
		}
		return nil, operr.New(next, "the new version is outside %s; nothing was changed", operr.Count(len(p.ranges), "range")).WithDetail(strings.Join(p.ranges, "\n"))
	}
	for _, pkg := range p.w.Order() {
		if m := p.moves[pkg.Name]; m != nil {
			p.plan.Packages = append(p.plan.Packages, *m)
		}
	}
	p.tags()
	p.tagNote()
	p.prereleaseNote()
	if p.plan.Request.Changelog && len(p.moves) > 0 {
		if err := p.changelog(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	p.plan.Files, err = p.edit.Files()
	p.lockNote()
	return p.plan, err
}

// tags adds the tags of the new versions, and the commit message.
func (p *planner) tags() {
	if p.idle {
		return
	}
	if p.w.Config.Versioning == settings.Lockstep {
		if order := p.w.Order(); len(order) > 0 {
			first := order[max(0, slices.IndexFunc(order, func(pkg *workspace.Package) bool { return pkg.Version.Text != "" }))]
			p.tag(first, p.tagName(first.Name, p.goals[first.Name].String()))
			p.plan.Message = message.OfCommit(p.w.Config.Commit, []string{p.plan.Tags[0].Name})
		}
		return
	}
	var moved []string
	for _, m := range p.plan.Packages {
		pkg, _ := p.w.Package(m.Name)
		p.tag(pkg, p.tagName(m.Name, m.New))
		moved = append(moved, m.Name+" "+m.New)
	}
	if len(moved) > 0 {
		p.plan.Message = message.OfCommit(p.w.Config.Commit, moved)
		return
	}
	if p.to.Exact != nil { // the manifests may already have the version, for example from a pull request, and only its tag is missing
		for _, pkg := range p.w.Order() {
			if p.req.Only == "" || pkg.Name == manifest.CondaName(p.req.Only) {
				p.tag(pkg, p.tagName(pkg.Name, p.goals[pkg.Name].String()))
			}
		}
	}
}

func (p *planner) tag(pkg *workspace.Package, name string) {
	p.plan.Tags = append(p.plan.Tags, newTag(p.w, pkg, name))
}

func newTag(w *workspace.Workspace, pkg *workspace.Package, name string) Tag {
	t := Tag{Name: name, File: pkg.Version.Pos.File, Line: pkg.Version.Pos.Line, Message: message.OfTag(w.Config.TagMessage, name)}
	if pkg.Version.Text != "" {
		t.Package = pkg.Name
	}
	return t
}

// PresentTags returns the tags for the versions that are now in the manifests.
func PresentTags(w *workspace.Workspace) []Tag { return TagsOf(w, w.Order()...) }

// TagsOf returns the tags for the versions in the packages' manifests, without duplicates.
func TagsOf(w *workspace.Workspace, packages ...*workspace.Package) (tags []Tag) {
	for _, pkg := range packages {
		t := TagOf(w, pkg)
		if pkg.Version.Text != "" && !slices.ContainsFunc(tags, func(other Tag) bool { return other.Name == t.Name }) {
			tags = append(tags, t)
		}
	}
	return tags
}

// TagOf returns the tag for the version in a package's manifest.
func TagOf(w *workspace.Workspace, pkg *workspace.Package) Tag {
	return newTag(w, pkg, released.TagPrefix(w, pkg.Name)+pkg.Version.Text)
}

// tagName returns v<version>, or <package>/v<version> if versions are independent.
func (p *planner) tagName(name, v string) string { return released.TagPrefix(p.w, name) + v }

func (p *planner) note(format string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(format, args...))
}

// lockNote adds a note about the workspace's lock file if a requirement changes. The lock file contains the requirements of the packages in the work
// tree, but not their versions (pixi-facts.md §1.4).
func (p *planner) lockNote() {
	if p.asks && isLocked(p.w, ".") {
		p.note("%s has the old requirements, and `pixi install --locked` will refuse the file: run `mage lock`", workspace.LockFile)
	}
}

// tagNote adds a note if a bump edits no file and only makes tags, because all versions are derived from tags.
func (p *planner) tagNote() {
	if len(p.moves) == 0 || !p.edit.Empty() || p.plan.Request.Changelog {
		return
	}
	p.note("no file is changed, because the new version is only a tag; pass -tag to make the tag %s", strings.Join(p.plan.tagNames(), ", "))
}

func (p *planner) prereleaseNote() {
	for _, m := range p.plan.Packages {
		if p.goals[m.Name].Prerelease() {
			p.note("%s is a pre-release, but conda has no opt-in for pre-releases: when this version is on the channel, requirements such as * or >= an older version will install the pre-release", m.New)
			return
		}
	}
}
