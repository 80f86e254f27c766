// Package preflight asks everything that can be asked before anything of a release is written.
//
//	preflight.go  the questions, and what is said to each answer that is in the way
//	manifests.go  what is refused by manifests and plan alone
//	files.go      what is about files that packages lack
//	branch.go     what is about the branch
package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Facts is what preflight found where nothing is in the way.
type Facts struct {
	Branch     string `json:"branch"`
	Commit     string `json:"commit"`
	Toolchain  string `json:"toolchain"`
	Channel    string `json:"channel"`
	Credential string `json:"credential"`
	Lands      string `json:"lands,omitempty"` // by what commits come to the branch, and what was read of it; "" where it was not asked
}

func (f Facts) String() string {
	said := fmt.Sprintf("%s at %.12s; %s; %s", f.Branch, f.Commit, f.Toolchain, f.Channel)
	if f.Credential != "" { // status asks for none
		said += "; " + f.Credential
	}
	if f.Lands != "" {
		said += "; " + f.Branch + " takes: " + f.Lands
	}
	return said
}

// Preflight is what it is asked by.
type Preflight struct {
	Request      bump.Request // what a person asks for
	History      bump.History
	Tools        func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
	Environments string          // folder of the toolchain
	Readable     func() []string // credentials that code of the repository could read on this machine, by name; nil where it is not said
	Fetching     func() []string // variables by which packages are fetched, and which pixi has when it builds; nil for none
	Say          func(format string, args ...any)

	told      bool // which credentials code of the repository could read
	toldRun   bool // that no run of the CI can be asked for
	toldLands bool // that the branch takes pull requests
	toldApart bool // that the work tree has changes which are no part of it
	toldHub   bool // that it is not known whether the token may make a release
}

// aim is what is asked about.
type aim int

const (
	unplanned aim = iota // nothing but clone, remote and channel: no plan can be worked out
	begun                // a release that was agreed to, or that tags tell of
	drafted              // one that was worked out just now: nothing of it can have been done
)

// asked is what the world said to preflight. An error is of its question alone.
type asked struct {
	aim      aim
	trace    *trace.Trace
	plan     *plan.Plan // the trace's; nil while the aim is unplanned
	head     gitrepo.Head
	changes  []string
	tags     map[string]string
	refs     gitremote.Refs
	branch   string        // that this release is made from; see workspace.Config.ReleaseBranch
	onBranch bool          // that it is checked out
	pending  *bump.Pending // of a release that was begun: its own, and not one that somebody has made since
	w        *workspace.Workspace
	bump     *bump.Plan
	holdings publish.Holdings
	place    string // URL of the channel
	tools    string
	fetches  bool // the toolchain fetches packages while it builds
	access   channel.Access
	channel  string

	refsErr, wErr, bumpErr, channelErr, toolsErr, accessErr error
}

// Ask asks everything that can be asked before anything is written, and says everything that is in the way at once. Where the trace has no
// plan, one is worked out; the plan that it was asked about is returned. Once the tag is on the remote, what matters for the rest is asked only.
func (p *Preflight) Ask(ctx context.Context, t *trace.Trace) (Facts, *plan.Plan, error) {
	a := &asked{trace: t, plan: t.Plan}
	if t.Plan != nil {
		a.aim = begun
	}
	if err := p.ask(ctx, a); err != nil {
		return Facts{}, nil, err
	}
	found := p.findManifests(ctx, a)
	if a.aim == unplanned && a.bump != nil && a.wErr == nil {
		if err := a.draft(ctx); err != nil {
			return Facts{}, nil, err
		}
		found = append(found, findBump(a.bump)...)
	}
	found = append(found, findPlatforms(ctx, a)...)
	found = append(found, findFiles(ctx, a)...)
	found = append(found, findGit(ctx, a)...)
	found = append(found, findChannel(ctx, a)...)
	found = append(found, p.findHub(ctx, a)...)
	found = append(found, p.findTrigger(a)...)
	if len(found) > 0 {
		return Facts{}, nil, refuse(found)
	}
	facts := Facts{
		Branch:     a.branch,
		Commit:     a.head.Commit,
		Toolchain:  a.tools,
		Channel:    a.channel,
		Credential: t.Hub.DescribeRight(ctx, t.Repo, a.w.Config.Remote),
	}
	if a.trace.By() == settings.PublishHere {
		facts.Credential = a.access.Source
	}
	facts.Lands = p.findLands(ctx, a)
	p.tellChanges(a)
	p.tellReadable(a)
	return facts, a.plan, nil
}

// tellChanges says, once, that what is not committed is no part of a release that has landed: settings that were changed do not count for it either.
func (p *Preflight) tellChanges(a *asked) {
	if a.plan == nil || !a.plan.Landed || len(a.changes) == 0 || p.toldApart {
		return
	}
	p.toldApart = true
	p.Say("the work tree has changes that are no part of this release, which is of %.12s as it landed: %s", a.plan.Base, operr.Some(a.changes))
}

// draft works the plan out.
func (a *asked) draft(ctx context.Context) (err error) {
	t := a.trace
	a.bump.NoteGoModules(t.Repo.Top)
	files, err := t.Repo.FilesBelow(ctx, t.Repo.Prefix)
	if err != nil {
		return err
	}
	a.bump.NoteMentions(a.w, files)
	a.plan, err = plan.Draft(ctx, t.Repo, a.w, a.bump, plan.Found{
		Base:       a.head.Commit,
		Branch:     a.branch,
		There:      a.refs.Branches[a.branch],
		Channel:    a.place,
		Publish:    t.Publish,
		Repository: t.Hub.Repository,
	})
	if err != nil {
		return err
	}
	if a.channelErr == nil {
		a.plan.Along = a.plan.FindAlong(a.holdings)
	}
	a.aim, a.trace = drafted, t.For(a.plan)
	return nil
}

// tellReadable says, once, which credentials are left that code of the repository could get at.
func (p *Preflight) tellReadable(a *asked) {
	if p.told || p.Readable == nil {
		return
	}
	p.told = true
	if names := p.Readable(); len(names) > 0 {
		p.Say("  code that checks and builds run could read: %s\n  → nothing has to be done; where you do not trust it, release on a machine without them", strings.Join(names, ", "))
	}
	if p.Fetching == nil || !a.fetches {
		return
	}
	if names := p.Fetching(); len(names) > 0 {
		p.Say("  pixi has %s while it builds, beside the build backends: let it be a key that reads only", strings.Join(names, ", "))
	}
}

// refuse is the error for what preflight found; nil where that is nothing.
func refuse(found []*operr.Error) error {
	return operr.Join(found, "see to each; nothing was changed", "%d things are in the way", len(found))
}

// ask puts the questions, those side by side that take their time. Its own error ends the release: without an answer there
// is nothing to say.
func (p *Preflight) ask(ctx context.Context, a *asked) (err error) {
	t := a.trace
	if a.head, err = t.Repo.Head(ctx); err != nil {
		return err
	}
	if a.tags, err = t.Repo.Tags(ctx); err != nil {
		return err
	}
	lying, err := t.Store.Lying(ctx, t.Repo)
	if err != nil {
		return err
	}
	a.pending = a.own(lying)
	if a.changes, err = t.Repo.Changes(ctx); err != nil {
		return err
	}
	if a.w, a.wErr = workspace.Load(t.Root); a.wErr != nil {
		return ctx.Err()
	}
	var group errgroup.Group
	group.Go(func() error { a.refs, a.refsErr = gitremote.Read(ctx, t.Repo, a.w.Config.Remote); return nil })
	group.Go(func() error { askChannel(ctx, a); return nil })
	group.Go(func() error { p.askTools(ctx, a); return nil })
	if a.aim == unplanned {
		a.bump, a.bumpErr = bump.New(ctx, a.w, p.Request, p.History)
	}
	_ = group.Wait() // each error is in a
	a.branch, a.onBranch = a.w.Config.ReleaseBranch(a.head.Branch, a.refs.Default)
	if a.aim == begun { // it is pushed where its plan says
		a.branch, a.onBranch = a.plan.Branch, a.head.Branch == a.plan.Branch
	}
	if a.bumpErr != nil && operr.ExitStatus(a.bumpErr) == operr.Usage { // no finding beside it could explain it
		return a.bumpErr
	}
	return context.Cause(ctx)
}

// own is a bump that lies uncommitted, if it is the one that is asked about and nothing else is changed; else nil: its files are changes as others are.
func (a *asked) own(lying *bump.Pending) *bump.Pending {
	if lying == nil || len(lying.Beside) > 0 || a.aim == begun && !lying.Plan.Same(a.plan.Bump) {
		return nil
	}
	return lying
}

func askChannel(ctx context.Context, a *asked) {
	c, err := a.trace.Channel(a.w)
	if err != nil {
		a.channelErr = err
		return
	}
	a.place = c.URL()
	if len(findPlace(a)) > 0 {
		return // that another channel answers, or does not, is not to the point
	}
	a.holdings, a.channelErr = publish.Look(ctx, c, a.w.Packages)
	a.channel = a.place
	if !a.holdings.Exists {
		a.channel += " (not there yet, or empty)"
		if a.holdings.Unseen != nil {
			a.channel = a.place + " (none that anyone can see; where it is private, a credential here would show it)"
		}
	}
	if cmp.Or(a.trace.Publish, a.w.Config.Publish) == settings.PublishHere {
		a.access, a.accessErr = c.Authorize(ctx)
	}
}

func (p *Preflight) askTools(ctx context.Context, a *asked) {
	tools, err := p.Tools(ctx, a.w, p.Environments)
	if err == nil {
		a.fetches = tools.Name() == toolchain.Pixi
		a.tools, err = tools.Describe(ctx)
	}
	if err == nil { // verify installs them, when they are out
		err = errors.Join(tools.Ready(ctx), toolchain.Foresee(tools, a.w.Packages))
	}
	a.toolsErr = err
}

// toFinding is what an error says, to be said beside other things; next is its next step where it has none.
func toFinding(err error, next string) []*operr.Error {
	if err == nil {
		return nil
	}
	found := operr.New(cmp.Or(operr.NextOf(err), next), "%v", err).WithDetail(operr.DetailOf(err))
	if operr.HasWayOn(err) {
		found = found.WithWayOn()
	}
	return []*operr.Error{found}
}

func (p *Preflight) findManifests(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return toFinding(a.wErr, "correct the manifest")
	}
	found = append(found, toFinding(a.bumpErr, "")...)
	found = append(found, toFinding(a.toolsErr, "run `mage doctor`")...)
	found = append(found, released.Unversioned(ctx, a.w, a.w.Packages, p.History)...)
	if a.bumpErr == nil && a.aim == unplanned {
		found = append(found, findDisagreements(a.w)...)
	}
	return found
}

// findGit looks at clone and remote.
func findGit(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return nil
	}
	if a.refsErr != nil {
		return toFinding(a.refsErr, "")
	}
	remote := a.w.Config.Remote
	if a.aim == begun {
		pushed, err := a.trace.Pushed(ctx, a.refs)
		if pushed != "" || err != nil {
			return toFinding(err, "") // what is released now is what the tag names, wherever the clone is
		}
	}
	if a.plan != nil && a.plan.Landed { // what is tagged is on the remote's branch, wherever the clone is
		return append(found, findTags(ctx, a)...)
	}
	if what, end := a.trace.Repo.Underway(ctx); what != "" {
		found = append(found, operr.New("end it: "+end, "git is in the middle of %s, which a commit would become a part of", what))
	}
	if len(a.changes) > 0 && a.pending == nil {
		found = append(found, operr.New("commit them, or put them away with `git stash -u`", "the work tree has changes: %s", operr.Some(a.changes)))
	}
	if !a.onBranch {
		found = append(found, findBranch(a))
	}
	switch there, ok := a.refs.Branches[a.branch]; {
	case a.branch == "":
		// which one it would be cannot be told
	case !ok:
		found = append(found, operr.New("push it first: `git push -u "+operr.Word(remote)+" "+operr.Word(a.branch)+"`", "the remote %s has no branch %s", remote, a.branch))
	default:
		has, err := a.trace.Repo.Contains(ctx, a.head.Commit, there)
		found = append(found, toFinding(err, "")...)
		if err == nil && !has {
			found = append(found, operr.New("`git pull`", "the clone is behind %s/%s (%.12s there)", remote, a.branch, there))
		}
	}
	if _, err := a.trace.Repo.Identity(ctx); err != nil {
		found = append(found, toFinding(err, "")...)
	}
	if a.aim != unplanned {
		found = append(found, findTags(ctx, a)...)
		found = append(found, findBase(ctx, a)...)
	}
	return found
}

// findTags wants the tags free, or at the commit of this release.
func findTags(ctx context.Context, a *asked) (found []*operr.Error) {
	for _, t := range a.plan.Tags {
		if at, ok := a.refs.Tags[t]; ok {
			found = append(found, operr.New("say another version, or find out who pushed it", "the tag %s is on %s already, at %.12s, and that is not this release", t, a.plan.Remote, at))
			continue
		}
		at, ok := a.tags[t]
		onBase, err := a.trace.Repo.Contains(ctx, at, a.plan.Base)
		onHead, errHead := a.trace.Repo.Contains(ctx, a.head.Commit, at)
		if err := errors.Join(err, errHead); err != nil {
			found = append(found, toFinding(err, "")...)
			continue
		}
		ours := onBase && (at != a.plan.Base || a.plan.Bump.Empty()) && onHead
		if ok && !ours {
			found = append(found, operr.New("say another version, or `git tag -d "+operr.Word(t)+"` if that release never was", "the tag %s is there already, at %.12s, which is not this release", t, at))
		}
	}
	return append(found, findClashes(a)...)
}

// findBase wants the clone to be where the plan left it: on its base, or on the release's commit and what was put on top.
func findBase(ctx context.Context, a *asked) []*operr.Error {
	on, err := a.trace.Repo.Contains(ctx, a.head.Commit, a.plan.Base)
	switch {
	case a.head.Commit == a.plan.Base || a.pending != nil:
		return nil
	case err != nil:
		return toFinding(err, "")
	case !on:
		return []*operr.Error{operr.New("go back to it, or `mage undo`", "the release of %s was begun on %.12s, which is not on this branch any more", a.plan.Title, a.plan.Base).WithWayOn()}
	case a.plan.Compare(a.w) != "":
		return []*operr.Error{operr.New("correct them, or `mage undo`", "the release of %s is under way, and the manifests are not as it left them: %s", a.plan.Title, a.plan.Compare(a.w)).WithWayOn()}
	}
	return nil
}

// findChannel looks at the channel, and at the right to publish to it.
func findChannel(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return nil
	}
	if a.channelErr != nil {
		return toFinding(a.channelErr, "see whether it can be reached from here; PREFIX_SERVER_URL and PREFIX_CHANNEL say where it is")
	}
	found = append(toFinding(a.accessErr, ""), findPlace(a)...)
	if a.aim == unplanned || a.plan.Bump.Empty() || isUnder(ctx, a) {
		return found // what is there is compared with what is built, before there is a tag
	}
	for _, pkg := range a.plan.Packages {
		if !slices.ContainsFunc(a.plan.Bump.Packages, func(m bump.Move) bool { return m.Name == pkg.Name }) {
			continue
		}
		for _, rec := range a.holdings.Of(pkg.Name, pkg.Version) {
			found = append(found, operr.New("say another version: what is published stays as it is", "%s has %s already, sha256 %.12s", a.channel, rec.FileName(), rec.SHA256))
		}
	}
	return found
}

// findPlace wants the channel to be the one that was agreed to: what is uploaded to another one cannot be taken back.
func findPlace(a *asked) []*operr.Error {
	if a.aim != begun || a.place == a.plan.Channel {
		return nil
	}
	return []*operr.Error{operr.New(plan.SameChannel+", or `mage undo`", "the release of %s was begun for %s, and the channel is %s now", a.plan.Title, a.plan.Channel, a.place).WithWayOn()}
}

// isUnder reports whether the bump of this release is made, in the work tree or in a commit.
func isUnder(ctx context.Context, a *asked) bool {
	if a.pending != nil || a.head.Commit != a.plan.Base {
		return true
	}
	pushed, _ := a.trace.Pushed(ctx, a.refs)
	return pushed != ""
}

// findHub wants a token that may make a release, where there is one.
func (p *Preflight) findHub(ctx context.Context, a *asked) []*operr.Error {
	if a.trace.Hub.Refuse() != "" {
		return nil
	}
	const unset = "or unset it: then no GitHub release is made"
	d, err := a.trace.Hub.Client.Details(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		return toFinding(err, "correct GITHUB_TOKEN, "+unset)
	case err != nil:
		return nil
	case d.Archived:
		return toFinding(operr.New("unarchive it, or choose another remote", "the repository %s is archived: nothing can be written to it", a.trace.Hub.Repository), "")
	case d.Push != nil && !*d.Push:
		return toFinding(operr.New("give GITHUB_TOKEN a token whose owner may push (contents: write), "+unset,
			"GITHUB_TOKEN may read %s, and makes no release there: its owner may not push", a.trace.Hub.Repository), "")
	case d.Push == nil && !p.toldHub:
		p.toldHub = true
		p.Say("whether GITHUB_TOKEN may make a release on %s is not known before it is tried: GitHub does not say it of this token", a.trace.Hub.Repository)
	}
	return nil
}

// findTrigger finds a workflow that the tags of a new release would not start: nothing would publish then. That a run of it cannot be asked for
// either is said, and in nobody's way.
func (p *Preflight) findTrigger(a *asked) (found []*operr.Error) {
	if a.aim != drafted || a.trace.By() != settings.PublishCI {
		return nil
	}
	if why := a.trace.Hub.RefuseTags(a.trace.Repo.Top, a.plan.Tags); why != "" {
		return append(found, operr.New(`name them: tags: ["v*", "*/v*"] starts for all that a release pushes`, "nothing would publish: %s", why))
	}
	if why := a.trace.Hub.RefuseDispatch(a.trace.Repo.Top); why != "" && !p.toldRun {
		p.toldRun = true
		p.Say("where GitHub begins no run for a tag, none can be asked for: %s", why)
	}
	return nil
}
