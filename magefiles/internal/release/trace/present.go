package trace

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Presence is what a clone knows that has never seen the journal of a release: by the tags on the remote that are of the versions which the
// manifests have.
type Presence struct {
	Stage Stage
	Plan  *plan.Plan // nil where the stage is Unclear or Untagged

	Unasked error // why the remote could not be asked, where the stage is Unclear for that; else nil
}

// Stage is how far such a release has come.
type Stage string

// The stages.
const (
	Unclear  Stage = "unclear"  // manifests, remote or channel do not say: preflight says why, beside everything else that is in the way
	Untagged Stage = "untagged" // the remote has no tag that counts as a release which was begun
	Begun    Stage = "begun"    // it is tagged, and not all of it is where it belongs
	Complete Stage = "complete" // it is through, or a journal of this clone knows its end
)

// Past is the release as a journal would have it; nil where there is none.
func (p Presence) Past() *Past {
	switch p.Stage {
	case Begun:
		return &Past{Past: &session.Past[*plan.Plan]{Plan: p.Plan}}
	case Complete:
		return &Past{Past: &session.Past[*plan.Plan]{Plan: p.Plan, End: Released}}
	}
	return nil
}

// FindPresent looks for the release of the versions that the manifests have. Where there are several, a request says which is meant.
func (t *Trace) FindPresent(ctx context.Context, req bump.Request) (Presence, error) {
	unclear := Presence{Stage: Unclear}
	w, err := workspace.Load(t.Root)
	if err != nil || len(w.Disagreements()) > 0 {
		//lint:ignore nilerr preflight says it
		return unclear, nil
	}
	refs, err := gitremote.Read(ctx, t.Repo, w.Config.Remote)
	if err != nil {
		unclear.Unasked = err
		//lint:ignore nilerr preflight says it
		return unclear, nil
	}
	if _, err := t.Channel(w); err != nil && operr.ExitStatus(err) != operr.Usage {
		return unclear, nil
	}
	found := Presence{Stage: Untagged}
	earlier, err := t.findEarlier(ctx, w, refs, req)
	switch {
	case err != nil:
		return found, err
	case earlier != nil:
		return Presence{Stage: Complete, Plan: earlier}, nil
	}
	groups, err := t.groupByCommit(ctx, bump.PresentTags(w), refs)
	if err != nil {
		return found, err
	}
	for _, tags := range groups {
		g, err := t.lookAt(ctx, w, refs, tags, req)
		if err != nil {
			return found, err
		}
		end, err := t.findEnd(g.plan)
		switch {
		case err != nil:
			return found, err
		case end == Released: // whatever is on the channel now, which may be another one
			g.all = true
		case end == Abandoned && !g.plan.Answers(req):
			continue
		}
		// That GitHub has no release of them is in nobody's way: many make none there.
		if g.all || g.here && req.To != "" && !g.plan.Answers(req) {
			if found.Plan == nil || g.plan.Answers(req) {
				found = Presence{Stage: Complete, Plan: g.plan}
			}
			continue
		}
		begun := g.some || g.plan.Answers(req)
		if !begun {
			if begun, err = t.wasBegun(ctx, g, refs); err != nil {
				return found, err
			}
		}
		if begun {
			return Presence{Stage: Begun, Plan: g.plan}, nil
		}
	}
	return found, nil
}

// groupByCommit puts those of the tags together that are on the remote and of one commit, the newest first. Packages
// with versions of their own are not all released at once.
func (t *Trace) groupByCommit(ctx context.Context, tags []bump.Tag, refs gitremote.Refs) (groups [][]bump.Tag, err error) {
	at := func(group []bump.Tag) string { return refs.Tags[group[0].Name] }
	for _, tag := range tags {
		commit, ok := refs.Tags[tag.Name]
		if !ok {
			continue
		}
		i := slices.IndexFunc(groups, func(group []bump.Tag) bool { return at(group) == commit })
		if i < 0 {
			groups, i = append(groups, nil), len(groups)
		}
		groups[i] = append(groups[i], tag)
	}
	slices.SortStableFunc(groups, func(a, b []bump.Tag) int {
		for _, order := range []struct {
			of, in string
			is     int
		}{{at(b), at(a), -1}, {at(a), at(b), 1}} {
			has, failed := t.Repo.Contains(ctx, order.in, order.of)
			err = errors.Join(err, failed)
			if has {
				return order.is
			}
		}
		return 0
	})
	return groups, err
}

// tagged is what a commit has that the remote has tags of.
type tagged struct {
	plan     *plan.Plan
	w        *workspace.Workspace // as the commit has it; nil where the commit is not here
	packages []*workspace.Package // that the tags are for
	holdings publish.Holdings
	some     bool // of the packages are on the channel
	here     bool // all of them are
	all      bool // are, and, where that can be asked, GitHub has the release
}

// lookAt drafts the release of the tags of one commit, and asks what is there of it. A package that came to the workspace
// later is not part of it.
func (t *Trace) lookAt(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, tags []bump.Tag, req bump.Request) (g tagged, err error) {
	commit := refs.Tags[tags[0].Name]
	branch, err := t.branchWith(ctx, w, refs, commit)
	if err != nil {
		return g, err
	}
	c, err := t.Channel(w)
	if err != nil {
		return g, err
	}
	b := &bump.Plan{Packages: []bump.Move{}, Files: []bump.File{}, Notes: []string{}, Request: req, Tags: tags}
	g.plan, err = plan.Draft(ctx, t.Repo, w, b, plan.Found{
		Base:       commit,
		Branch:     branch,
		There:      refs.Branches[branch],
		Channel:    c.URL(),
		Publish:    t.Publish,
		Repository: t.Hub.Repository,
	})
	if err != nil {
		return g, err
	}
	here, err := t.Repo.Contains(ctx, commit, commit)
	if err != nil {
		return g, err
	}
	if here {
		if g.w, err = t.Store.At(ctx, t.Repo, commit); err != nil {
			return g, err
		}
	}
	if g.w != nil {
		if g.packages = findNamed(g.w, g.plan.Tags); g.packages != nil {
			g.plan.Packages = plan.PackagesOf(g.w)
		}
	}
	if g.packages == nil { // the commit is not here, or is not what its tag says
		g.w, g.packages = nil, findNamed(w, g.plan.Tags)
	}
	if g.holdings, err = publish.Look(ctx, c, g.packages); err != nil {
		return g, err
	}
	g.plan.Unseen = g.holdings.Unseen
	there := 0
	for _, pkg := range g.packages {
		if len(g.holdings.Of(pkg.Name, pkg.Version.Text)) > 0 {
			there++
		}
	}
	g.some, g.here = there > 0, there == len(g.packages)
	g.all = g.here
	if !g.all || t.Hub.Refuse() != "" {
		return g, nil
	}
	for _, tag := range g.plan.Tags {
		state, err := t.Hub.Client.Look(ctx, tag)
		if err != nil || state.Published == nil {
			g.all = false
			return g, err
		}
	}
	return g, nil
}

// findNamed finds the packages of a workspace at versions that tags are for.
func findNamed(w *workspace.Workspace, tags []string) (packages []*workspace.Package) {
	for _, pkg := range w.Packages {
		if pkg.Version.Text != "" && slices.Contains(tags, bump.TagOf(w, pkg).Name) {
			packages = append(packages, pkg)
		}
	}
	return packages
}

// wasBegun decides about tags of which nothing is on the channel. A tag alone is no release that was begun: it may be older than
// the channel. One whose version was brought there by a bump is, unless the release before it is not on the channel either.
// A clone does not go on with a commit that it does not have.
func (t *Trace) wasBegun(ctx context.Context, g tagged, refs gitremote.Refs) (bool, error) {
	if g.w == nil {
		return false, nil
	}
	seen := map[string]bool{}
	for _, pkg := range g.packages {
		tag := bump.TagOf(g.w, pkg)
		made, err := t.Store.Made(ctx, t.Repo, g.plan.Base, tag)
		if err != nil {
			return false, err
		}
		if seen[made.Commit] || !made.Bumped() {
			seen[made.Commit] = true
			continue
		}
		older, err := t.olderThanTheChannel(ctx, g, refs, pkg, made)
		return !older, err
	}
	return false, nil
}

// olderThanTheChannel reports whether the version before was tagged on the remote, by a bump too, and is not on the channel:
// then these tags were released, if at all, to somewhere else.
func (t *Trace) olderThanTheChannel(ctx context.Context, g tagged, refs gitremote.Refs, pkg *workspace.Package, made bump.Made) (bool, error) {
	if len(g.holdings.Of(pkg.Name, made.From)) > 0 {
		return false, nil
	}
	name := strings.TrimSuffix(bump.TagOf(g.w, pkg).Name, pkg.Version.Text) + made.From
	commit := refs.Tags[name]
	if commit == "" {
		return false, nil
	}
	if here, err := t.Repo.Contains(ctx, commit, commit); !here || err != nil {
		return false, err
	}
	w, err := t.Store.At(ctx, t.Repo, commit)
	if w == nil || err != nil {
		return false, err
	}
	before, err := w.Package(pkg.Name)
	if err != nil {
		//lint:ignore nilerr it was not there then
		return false, nil
	}
	made, err = t.Store.Made(ctx, t.Repo, commit, bump.TagOf(w, before))
	return made.Bumped(), err
}

// findEarlier finds a release that was asked for by a version which is tagged on the remote, and on the channel, and that the
// manifests have left behind. (One that they have not come to is somebody else's, of which this clone does not know whether
// it is through.) It is nil where there is none.
func (t *Trace) findEarlier(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, req bump.Request) (*plan.Plan, error) {
	text := strings.TrimPrefix(req.To, "v")
	asked, err := version.Parse(text)
	if err != nil || w.Config.Versioning != settings.Lockstep || refs.Tags["v"+text] == "" {
		//lint:ignore nilerr it is a word such as patch, for one
		return nil, nil
	}
	for _, p := range w.Packages {
		if present, err := version.Parse(p.Version.Text); err != nil || asked.Compare(present) >= 0 {
			//lint:ignore nilerr a version that cannot be read is not behind another one
			return nil, nil
		}
	}
	c, err := t.Channel(w)
	if err != nil {
		return nil, err
	}
	has, err := publish.Look(ctx, c, w.Packages)
	if err != nil || !slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool { return len(has.Of(p.Name, text)) > 0 }) {
		return nil, err
	}
	return &plan.Plan{Title: "v" + text, Tags: []string{"v" + text}, Base: refs.Tags["v"+text], Channel: c.URL()}, nil
}
