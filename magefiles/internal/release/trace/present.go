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

// Presence describes the release of the manifests' versions as a clone without a journal sees it, from the tags on the remote.
type Presence struct {
	Stage Stage
	Plan  *plan.Plan // nil if the stage is Unclear or Untagged

	Unasked error // why the remote could not be queried, if this is why the stage is Unclear
}

// Stage is the progress of a release without a journal.
type Stage string

// The values of Stage.
const (
	Unclear  Stage = "unclear"  // cannot be determined from manifests, remote and channel; preflight reports why
	Untagged Stage = "untagged" // no tag on the remote shows that the release was begun
	Begun    Stage = "begun"    // the release is tagged but incomplete
	Complete Stage = "complete" // the release is complete, or ended according to a journal of this clone
)

// Past returns the release as if it had been read from a journal; nil if there is none.
func (p Presence) Past() *Past {
	switch p.Stage {
	case Begun:
		return &Past{Past: &session.Past[*plan.Plan]{Plan: p.Plan}}
	case Complete:
		return &Past{Past: &session.Past[*plan.Plan]{Plan: p.Plan, End: Released}}
	}
	return nil
}

// FindPresent looks for the release of the manifests' versions. If there are several, the request selects one.
func (t *Trace) FindPresent(ctx context.Context, req bump.Request) (Presence, error) {
	unclear := Presence{Stage: Unclear}
	w, err := workspace.Load(t.Root)
	if err != nil || len(w.Disagreements()) > 0 {
		//lint:ignore nilerr preflight reports this error
		return unclear, nil
	}
	refs, err := gitremote.Read(ctx, t.Repo, w.Config.Remote)
	if err != nil {
		unclear.Unasked = err
		//lint:ignore nilerr preflight reports this error
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
		case end == Released: // regardless of the channel, which may have changed
			g.all = true
		case end == Abandoned && !g.plan.Answers(req):
			continue
		}
		// A missing GitHub release does not count, because many projects do not make any.
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

// groupByCommit groups the tags that exist on the remote by commit, newest first. Packages with separate versions may have been released from
// different commits.
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

// tagged describes a release that was found through the remote's tags at one commit.
type tagged struct {
	plan     *plan.Plan
	w        *workspace.Workspace // workspace at the commit; nil if the clone does not have the commit
	packages []*workspace.Package // packages that the tags release
	holdings publish.Holdings
	some     bool // some of these packages are on the channel
	here     bool // all of these packages are on the channel
	all      bool // as here, and the GitHub release exists, if it can be queried
}

// lookAt computes the plan of the release with the given tags, which are at the same commit, and finds out which of its parts exist. Packages that
// were added to the workspace later are not part of it.
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
	if g.packages == nil { // the clone lacks the commit, or the commit does not have the tagged versions
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

// findNamed returns the packages of a workspace whose current versions have one of the tags.
func findNamed(w *workspace.Workspace, tags []string) (packages []*workspace.Package) {
	for _, pkg := range w.Packages {
		if pkg.Version.Text != "" && slices.Contains(tags, bump.TagOf(w, pkg).Name) {
			packages = append(packages, pkg)
		}
	}
	return packages
}

// wasBegun reports whether tags without packages on the channel show an unfinished release. A tag alone does not: it may be older than the channel. A
// tag of a bumped version does, unless the previous release is missing on the channel too. A release is not continued in a clone that lacks its
// commit.
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

// olderThanTheChannel reports whether the previous version was also bumped and tagged on the remote, but is not on the channel. If so, releases went
// to another channel at that time.
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
		//lint:ignore nilerr the package did not exist at that commit
		return false, nil
	}
	made, err = t.Store.Made(ctx, t.Repo, commit, bump.TagOf(w, before))
	return made.Bumped(), err
}

// findEarlier finds the release that a request names if its version is older than the manifests' versions, and it is tagged and on the channel; nil
// otherwise. A version that is newer than the manifests must have been released by someone else, and this clone cannot tell whether it is complete.
func (t *Trace) findEarlier(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, req bump.Request) (*plan.Plan, error) {
	text := strings.TrimPrefix(req.To, "v")
	asked, err := version.Parse(text)
	if err != nil || w.Config.Versioning != settings.Lockstep || refs.Tags["v"+text] == "" {
		//lint:ignore nilerr the text may be a word such as patch
		return nil, nil
	}
	for _, p := range w.Packages {
		if present, err := version.Parse(p.Version.Text); err != nil || asked.Compare(present) >= 0 {
			//lint:ignore nilerr a version that cannot be read is not newer than the requested one
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
