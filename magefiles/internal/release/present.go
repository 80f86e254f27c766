package release

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// present is the release of the versions that the manifests have, if its tags are on the remote; nil where they are not. It
// is what a clone knows that has never seen the journal. A release that a journal of this clone knows the end of has ended.
func (r *Release) present(ctx context.Context) (plan *Plan, released bool, err error) {
	w, err := workspace.Load(r.Root)
	if err != nil || len(w.Disagreements()) > 0 {
		//lint:ignore nilerr preflight says it, beside everything else that is in the way
		return nil, false, nil
	}
	refs, err := gitremote.Read(ctx, r.Repo, w.Config.Remote)
	if err != nil {
		//lint:ignore nilerr preflight says it, beside everything else
		return nil, false, nil
	}
	if _, err := r.Channel(w); err != nil && usage(err) == nil {
		return nil, false, nil // as above
	}
	if plan, err := r.earlier(ctx, w, refs); plan != nil || err != nil {
		return plan, true, err
	}
	groups, err := r.byCommit(ctx, bump.PresentTags(w), refs)
	if err != nil {
		return nil, false, err
	}
	for _, tags := range groups {
		t, err := r.tagged(ctx, w, refs, tags)
		if err != nil {
			return nil, false, err
		}
		end, err := r.ended(t.plan)
		switch {
		case err != nil:
			return nil, false, err
		case end == Released: // whatever is on the channel now, which may be another one
			t.all = true
		case end == Abandoned && !t.plan.asked(r.Request):
			continue
		}
		// That GitHub has no release of them is in nobody's way: many make none there.
		if t.all || t.here && r.Request.To != "" && !t.plan.asked(r.Request) {
			if plan == nil || t.plan.asked(r.Request) {
				plan, released = t.plan, true
			}
			continue
		}
		if t.some || t.plan.asked(r.Request) {
			return t.plan, false, nil
		}
		if begun, err := r.begun(ctx, t, refs); begun || err != nil {
			return t.plan, false, err
		}
	}
	return plan, released, nil
}

// byCommit are those of the tags that are on the remote, together where they are of one commit, the newest first. Packages
// with versions of their own are not all released at once.
func (r *Release) byCommit(ctx context.Context, tags []bump.Tag, refs gitremote.Refs) (groups [][]bump.Tag, err error) {
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
			has, failed := r.Repo.Contains(ctx, order.in, order.of)
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
	plan     *Plan
	w        *workspace.Workspace // as the commit has it; nil where the commit is not here
	packages []*workspace.Package // that the tags are for
	holdings publish.Holdings
	some     bool // of the packages are on the channel
	here     bool // all of them are
	all      bool // are, and, where that can be asked, GitHub has the release
}

// tagged drafts the release of the tags of one commit, and asks what is there of it. A package that came to the workspace
// later is not part of it.
func (r *Release) tagged(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, tags []bump.Tag) (t tagged, err error) {
	commit := refs.Tags[tags[0].Name]
	branch, err := r.branchWith(ctx, w, refs, commit)
	if err != nil {
		return t, err
	}
	facts := &asked{refs: refs, branch: branch}
	facts.head.Commit = commit
	b := &bump.Plan{Packages: []bump.Move{}, Files: []bump.File{}, Notes: []string{}, Request: r.Request, Tags: tags}
	if t.plan, err = r.draft(ctx, w, b, facts); err != nil {
		return t, err
	}
	here, err := r.Repo.Contains(ctx, commit, commit)
	if err != nil {
		return t, err
	}
	if here {
		if t.w, err = r.Store.At(ctx, r.Repo, commit); err != nil {
			return t, err
		}
	}
	if t.w != nil {
		if t.packages = named(t.w, t.plan.Tags); t.packages != nil {
			t.plan.Packages = packagesOf(t.w)
		}
	}
	if t.packages == nil { // the commit is not here, or is not what its tag says
		t.w, t.packages = nil, named(w, t.plan.Tags)
	}
	c, err := r.Channel(w)
	if err != nil {
		return t, err
	}
	if t.holdings, err = publish.Look(ctx, c, t.packages); err != nil {
		return t, err
	}
	t.plan.Unseen = t.holdings.Unseen
	there := 0
	for _, pkg := range t.packages {
		if len(t.holdings.Of(pkg.Name, pkg.Version.Text)) > 0 {
			there++
		}
	}
	t.some, t.here = there > 0, there == len(t.packages)
	t.all = t.here
	if !t.all || r.noHub() != "" {
		return t, nil
	}
	for _, tag := range t.plan.Tags {
		state, err := r.GitHub.Client.Look(ctx, tag)
		if err != nil || state.Published == nil {
			t.all = false
			return t, err
		}
	}
	return t, nil
}

// named are the packages of a workspace at versions that tags are for.
func named(w *workspace.Workspace, tags []string) (packages []*workspace.Package) {
	for _, pkg := range w.Packages {
		if pkg.Version.Text != "" && slices.Contains(tags, bump.TagOf(w, pkg).Name) {
			packages = append(packages, pkg)
		}
	}
	return packages
}

// begun decides about tags of which nothing is on the channel. A tag alone is no release that was begun: it may be older than
// the channel. One whose version was brought there by a bump is, unless the release before it is not on the channel either.
// A clone does not go on with a commit that it does not have.
func (r *Release) begun(ctx context.Context, t tagged, refs gitremote.Refs) (bool, error) {
	if t.w == nil {
		return false, nil
	}
	seen := map[string]bool{}
	for _, pkg := range t.packages {
		tag := bump.TagOf(t.w, pkg)
		made, err := r.Store.Made(ctx, r.Repo, t.plan.Base, tag)
		if err != nil {
			return false, err
		}
		if seen[made.Commit] || !made.Bumped() {
			seen[made.Commit] = true
			continue
		}
		older, err := r.olderThanTheChannel(ctx, t, refs, pkg, made)
		return !older, err
	}
	return false, nil
}

// olderThanTheChannel reports whether the version before was tagged on the remote, by a bump too, and is not on the channel:
// then these tags were released, if at all, to somewhere else.
func (r *Release) olderThanTheChannel(ctx context.Context, t tagged, refs gitremote.Refs, pkg *workspace.Package, made bump.Made) (bool, error) {
	if len(t.holdings.Of(pkg.Name, made.From)) > 0 {
		return false, nil
	}
	name := strings.TrimSuffix(bump.TagOf(t.w, pkg).Name, pkg.Version.Text) + made.From
	commit := refs.Tags[name]
	if commit == "" {
		return false, nil
	}
	if here, err := r.Repo.Contains(ctx, commit, commit); !here || err != nil {
		return false, err
	}
	w, err := r.Store.At(ctx, r.Repo, commit)
	if w == nil || err != nil {
		return false, err
	}
	before, err := w.Package(pkg.Name)
	if err != nil {
		//lint:ignore nilerr it was not there then
		return false, nil
	}
	made, err = r.Store.Made(ctx, r.Repo, commit, bump.TagOf(w, before))
	return made.Bumped(), err
}

// earlier is a release that was asked for by a version which is tagged on the remote, and on the channel, and that the
// manifests have left behind. (One that they have not come to is somebody else's, of which this clone does not know whether
// it is through.)
func (r *Release) earlier(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs) (*Plan, error) {
	text := strings.TrimPrefix(r.Request.To, "v")
	asked, err := version.Parse(text)
	if err != nil || w.Config.Versioning != workspace.Lockstep || refs.Tags["v"+text] == "" {
		//lint:ignore nilerr it is a word such as patch, for one
		return nil, nil
	}
	for _, p := range w.Packages {
		if present, err := version.Parse(p.Version.Text); err != nil || asked.Compare(present) >= 0 {
			//lint:ignore nilerr a version that cannot be read is not behind another one
			return nil, nil
		}
	}
	c, err := r.Channel(w)
	if err != nil {
		return nil, err
	}
	has, err := publish.Look(ctx, c, w.Packages)
	if err != nil || !slices.ContainsFunc(w.Packages, func(p *workspace.Package) bool { return len(has.Of(p.Name, text)) > 0 }) {
		return nil, err
	}
	return &Plan{Title: "v" + text, Tags: []string{"v" + text}, Base: refs.Tags["v"+text], Channel: c.URL()}, nil
}
