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
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// planner works out one plan.
type planner struct {
	w       *workspace.Workspace
	req     Request
	to      target
	history *commits.Past
	edit    *edits.Editor
	plan    *Plan

	now      map[string]version.Version // where each package is, by name
	goals    map[string]version.Version // where each one goes, or stays
	moves    map[string]*Move           // those that move
	copied   map[string]string          // what the manifest says of a package whose last tag is above that, by name
	apart    bool                       // packages have several versions, where all have one
	drift    []string                   // what does not agree now: one line each, which begins with the place
	ranges   []string                   // which ranges a new version would leave
	idle     bool                       // the commits ask for no release
	accounts []string                   // what was counted for packages that have versions of their own, a line each
	asks     bool                       // a requirement changes
	folders  map[string]string          // the name of each package's folder, where tags may be called by it
}

// New works out how the versions of a workspace change, and every exact pin on them, as the request says. Nothing is
// written. h tells of commits and tags; it may be nil outside of git, where a request that needs it is refused.
//
// Errors have exit status operr.Usage where the request names what is not there, and else operr.Failed: manifests that do
// not agree, ranges that would not admit the new version.
func New(ctx context.Context, w *workspace.Workspace, req Request, h History) (*Plan, error) {
	to, err := readTarget(req.To)
	if err != nil {
		return nil, err
	}
	if err := w.NoPackages(); err != nil {
		return nil, err
	}
	if twice := w.Doubles(); len(twice) > 0 {
		return nil, operr.New("rename one of them in its manifests", "%s: %s", twice[0].Pos, twice[0].Message)
	}
	p := newPlanner(w, req, h)
	p.to = to
	if to.auto && to.phase == "" {
		p.req.To = auto
		p.plan.Request.To = auto
	}
	p.plan.Request.Changelog = !req.NoChangelog && (req.Changelog || p.req.To == auto)
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

// locate finds out where each package is: what its manifest says or, where a tool makes that from tags, its last tag.
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

// explainVersion says why a package's version cannot be counted up.
func explainVersion(pkg *workspace.Package, err error) error {
	v := pkg.Version
	switch v.Source {
	case manifest.VersionDynamic, manifest.VersionBackend:
		return operr.New("write `version` in [package] of "+pkg.Manifest, "%s: the version of %s is made while building (%s), and cannot be changed from outside", v.Pos, pkg.Name, v.Detail)
	case manifest.VersionMissing:
		return operr.New("write `version` in [package] of "+pkg.Manifest, "%s: %s has no version", v.Pos, pkg.Name)
	}
	if v.Text == "dynamic" {
		err = fmt.Errorf("%w. In [package] nothing makes one", err)
		return operr.New("write the version itself there, such as 0.1.0; what a tool makes from tags is read from pyproject.toml", "%s: the version of %s: %w", v.Pos, pkg.Name, err)
	}
	return operr.New("write one that they do", "%s: the version of %s: %w", v.Pos, pkg.Name, err)
}

// move lets a package go to a version. A later, higher goal replaces an earlier one; the reasons are kept.
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

// finish puts the plan together, or refuses it.
func (p *planner) finish(ctx context.Context) (*Plan, error) {
	if len(p.drift) > 0 && !p.req.FixDrift {
		next := "correct them, or have them follow: `mage version:bump -to=… -fixDrift`"
		if p.apart {
			next += ", " + p.w.TheirOwn()
		}
		return nil, operr.New(next, "the manifests do not agree: %s; nothing was changed", operr.Count(len(p.drift), "place")).WithDetail(strings.Join(p.drift, "\n"))
	}
	if len(p.ranges) > 0 {
		next := "widen them, or say -ranges=raise"
		if p.req.Raise {
			next = "write there what they shall admit"
		}
		return nil, operr.New(next, "the new version would leave %s; nothing was changed", operr.Count(len(p.ranges), "range")).WithDetail(strings.Join(p.ranges, "\n"))
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

// tags names the tags of the new versions, and the commit's message after them.
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
	if p.to.exact != nil { // it is there already, such as by a pull request, and may lack its tag alone
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

// PresentTags are the tags that belong to the versions which the manifests have, by name.
func PresentTags(w *workspace.Workspace) []Tag { return TagsOf(w, w.Order()...) }

// TagsOf are the tags that belong to the versions which the manifests of the packages have, each once.
func TagsOf(w *workspace.Workspace, packages ...*workspace.Package) (tags []Tag) {
	for _, pkg := range packages {
		t := TagOf(w, pkg)
		if pkg.Version.Text != "" && !slices.ContainsFunc(tags, func(other Tag) bool { return other.Name == t.Name }) {
			tags = append(tags, t)
		}
	}
	return tags
}

// TagOf is the tag that belongs to the version which the manifest of a package has.
func TagOf(w *workspace.Workspace, pkg *workspace.Package) Tag {
	return newTag(w, pkg, released.TagPrefix(w, pkg.Name)+pkg.Version.Text)
}

// tagName is v<version>, or <package>/v<version> where versions are independent.
func (p *planner) tagName(name, v string) string { return released.TagPrefix(p.w, name) + v }

func (p *planner) note(format string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(format, args...))
}

// lockNote reminds of the workspace's lock file. It has what the packages in the work tree ask for, though not their versions,
// so that it fits no longer once a requirement changes (pixi-facts.md §1.4).
func (p *planner) lockNote() {
	if p.asks && isLocked(p.w, ".") {
		p.note("%s has the old requirements, and `pixi install --locked` will refuse it: `mage lock` makes it anew", workspace.LockFile)
	}
}

// tagNote says that a bump may be its tags alone, where tools make all versions from them.
func (p *planner) tagNote() {
	if len(p.moves) == 0 || !p.edit.Empty() || p.plan.Request.Changelog {
		return
	}
	p.note("nothing is edited: the new version is a tag alone, %s, and -tag makes it", strings.Join(p.plan.tagNames(), ", "))
}

func (p *planner) prereleaseNote() {
	for _, m := range p.plan.Packages {
		if p.goals[m.Name].Prerelease() {
			p.note("%s is a pre-release, and conda has no opt-in for those: whoever asks for any version, or for >= an older one, gets it once it is on the channel", m.New)
			return
		}
	}
}
