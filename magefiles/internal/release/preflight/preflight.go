// Package preflight checks everything that can be checked before a release writes anything.
//
//	preflight.go  gathers the facts, and checks git, the channel, GitHub and the CI
//	manifests.go  checks manifests and plan
//	files.go      checks for missing files
//	branch.go     checks the branch
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

// Facts holds the facts that preflight found if nothing prevents the release.
type Facts struct {
	Branch     string `json:"branch"`
	Commit     string `json:"commit"`
	Toolchain  string `json:"toolchain"`
	Channel    string `json:"channel"`
	Credential string `json:"credential"`
	Lands      string `json:"lands,omitempty"` // how commits reach the branch, and the rule for this; "" if not checked
}

func (f Facts) String() string {
	said := fmt.Sprintf("%s at %.12s; %s; %s", f.Branch, f.Commit, f.Toolchain, f.Channel)
	if f.Credential != "" { // status needs no credential
		said += "; " + f.Credential
	}
	if f.Lands != "" {
		said += "; " + f.Branch + " takes: " + f.Lands
	}
	return said
}

// Preflight holds the inputs of the checks.
type Preflight struct {
	Request      bump.Request // the user's request
	History      bump.History
	Tools        func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
	Environments string          // folder for toolchain environments
	Readable     func() []string // names of the credentials that repository code could read on this machine; nil if this is not reported
	Fetching     func() []string // environment variables that pixi uses to fetch packages during builds; nil for none
	Say          func(format string, args ...any)

	told       bool // whether the readable credentials were reported
	toldRun    bool // whether it was reported that no CI run can be requested
	toldLands  bool // whether it was reported that the branch requires pull requests
	toldUnsent bool // whether unpushed tags were reported
	toldApart  bool // whether it was reported that uncommitted changes are not part of the release
	toldHub    bool // whether it was reported that the token's permissions are unknown
}

// aim is the kind of release that is checked.
type aim int

const (
	unplanned aim = iota // no plan can be computed: check only the clone, the remote and the channel
	begun                // a release that was agreed to, or that tags show
	drafted              // a release that was planned just now, so nothing is done yet
)

// asked holds what the clone, the remote, the channel and GitHub reported. Each error belongs to one query only.
type asked struct {
	aim      aim
	trace    *trace.Trace
	plan     *plan.Plan // the trace's plan; nil for unplanned
	head     gitrepo.Head
	changes  []string
	tags     map[string]string
	refs     gitremote.Refs
	branch   string        // the branch from which this release is made; see settings.Config.ReleaseBranch
	onBranch bool          // whether that branch is checked out
	pending  *bump.Pending // uncommitted bump that belongs to this release; see ownBump
	w        *workspace.Workspace
	bump     *bump.Plan
	holdings publish.Holdings
	place    string // URL of the channel
	tools    string
	fetches  bool // whether the toolchain fetches packages during builds
	access   channel.Access
	channel  string

	refsErr, wErr, bumpErr, channelErr, toolsErr, accessErr error
}

// Ask runs all checks, and reports all problems at once. If the trace has no plan, Ask computes one. It returns the plan that it checked. Once the
// tag is on the remote, it checks only what the remaining steps need.
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
	found = append(found, p.findNoCI(ctx, a)...)
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
	p.tellUnsent(a)
	p.tellReadable(a)
	return facts, a.plan, nil
}

// tellChanges reports, once, that a landed release does not include uncommitted changes, not even changed settings.
func (p *Preflight) tellChanges(a *asked) {
	if a.plan == nil || !a.plan.Landed || len(a.changes) == 0 || p.toldApart {
		return
	}
	p.toldApart = true
	p.Say("the release is made from the commit %.12s, without these changes in the work tree: %s", a.plan.Base, operr.Abbreviate(a.changes))
}

// tellUnsent reports, once, versions that are tagged but not pushed, and that the new release does not include.
func (p *Preflight) tellUnsent(a *asked) {
	if a.aim != drafted || p.toldUnsent {
		return
	}
	p.toldUnsent = true
	for _, tag := range bump.PresentTags(a.w) {
		if at := a.tags[tag.Name]; at != "" && a.refs.Tags[tag.Name] == "" && !slices.Contains(a.plan.Tags, tag.Name) {
			p.Say("%s is tagged in this clone (commit %.12s), but is not pushed, so this release leaves %[1]s out. To release that version first, answer no, and run `mage status` to see the command", tag.Name, at)
		}
	}
}

// draft computes the plan.
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

// tellReadable reports, once, the credentials that repository code could read.
func (p *Preflight) tellReadable(a *asked) {
	if p.told || p.Readable == nil {
		return
	}
	p.told = true
	var lines []string
	if names := p.Readable(); len(names) > 0 {
		lines = append(lines, fmt.Sprintf("  code that checks and builds run could read: %s\n  → nothing has to be done; if you do not trust this code, release on a machine without these credentials", strings.Join(names, ", ")))
	}
	if p.Fetching != nil && a.fetches {
		if names := p.Fetching(); len(names) > 0 {
			lines = append(lines, fmt.Sprintf("  pixi and the build backends have %s during a build; use a key that can only read", strings.Join(names, ", ")))
		}
	}
	if len(lines) > 0 {
		p.Say("Credentials on this machine:\n%s", strings.Join(lines, "\n"))
	}
}

// refuse joins the problems into one error; nil if there are none.
func refuse(found []*operr.Error) error {
	return operr.Join(found, "fix each of these problems; nothing was changed", "%d problems prevent the release", len(found))
}

// ask gathers the facts, running slow queries in parallel. It returns an error only if nothing could be checked without the failed query.
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
	a.pending = a.ownBump(lying)
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
	_ = group.Wait() // errors are stored in a
	a.branch, a.onBranch = a.w.Config.ReleaseBranch(a.head.Branch, a.refs.Default)
	if a.aim == begun { // a begun release is pushed to the branch in its plan
		a.branch, a.onBranch = a.plan.Branch, a.head.Branch == a.plan.Branch
	}
	if a.bumpErr != nil && operr.ExitStatus(a.bumpErr) == operr.Usage { // no other finding could explain this error
		return a.bumpErr
	}
	return context.Cause(ctx)
}

// `ownBump` returns an uncommitted bump if it belongs to this release and there are no other changes. Otherwise it returns nil, and the bump's files
// count as ordinary changes.
func (a *asked) ownBump(lying *bump.Pending) *bump.Pending {
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
		return // the state of a wrong channel does not matter
	}
	a.holdings, a.channelErr = publish.Look(ctx, c, a.w.Packages)
	a.channel = a.place
	if !a.holdings.Exists {
		a.channel += " (does not exist yet, or is empty)"
		if a.holdings.Unseen != nil {
			a.channel = a.place + " (not visible without a credential; if the channel is private, set one)"
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
	if err == nil { // verify installs the published packages
		err = errors.Join(tools.Ready(ctx), toolchain.Foresee(tools, a.w.Packages))
	}
	a.toolsErr = err
}

// toFinding converts an error to a list of findings; empty for nil. `next` is the next step if the error has none.
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
	found = append(found, released.FindUnversioned(ctx, a.w, a.w.Packages, p.History)...)
	if a.bumpErr == nil && a.aim == unplanned {
		found = append(found, findDisagreements(a.w)...)
	}
	return found
}

// findGit checks the clone and the remote.
func findGit(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return nil
	}
	if a.refsErr != nil {
		return toFinding(a.refsErr, "")
	}
	remote := a.w.Config.Remote
	if a.aim == begun {
		pushed, err := a.trace.FindPushed(ctx, a.refs)
		if pushed != "" || err != nil {
			return toFinding(err, "") // the tag determines the commit, so the clone's state does not matter
		}
	}
	if a.plan != nil && a.plan.Landed { // the commit to tag is on the remote's branch, so the clone's state does not matter
		return append(found, findTags(ctx, a)...)
	}
	if what, end := a.trace.Repo.Underway(ctx); what != "" {
		found = append(found, operr.New("finish or stop that operation: "+end, "git is in the middle of %s, which would include the release's commit", what))
	}
	if len(a.changes) > 0 && a.pending == nil {
		found = append(found, operr.New("commit the changes, or put the changes away with `git stash -u`", "the work tree has changes: %s", operr.Abbreviate(a.changes)))
	}
	if !a.onBranch {
		found = append(found, findBranch(a))
	}
	switch there, ok := a.refs.Branches[a.branch]; {
	case a.branch == "":
		// the branch is unknown
	case !ok:
		found = append(found, operr.New("push the branch first: `git push -u "+operr.Word(remote)+" "+operr.Word(a.branch)+"`", "the remote %s has no branch %s", remote, a.branch))
	default:
		has, err := a.trace.Repo.Contains(ctx, a.head.Commit, there)
		found = append(found, toFinding(err, "")...)
		if err == nil && !has {
			found = append(found, operr.New("run `git pull`", "the clone is behind %s/%s, which is at %.12s", remote, a.branch, there))
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

// findTags reports tags that already exist, on the remote or in the clone, and do not belong to this release.
func findTags(ctx context.Context, a *asked) (found []*operr.Error) {
	for _, t := range a.plan.Tags {
		if at, ok := a.refs.Tags[t]; ok {
			found = append(found, operr.New("pass -to with another version, or find out who pushed the tag", "the tag %s is on %s already, at %.12s, and does not belong to this release", t, a.plan.Remote, at))
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
			found = append(found, operr.New("pass -to with another version, or, if this version was never released, run `git tag -d "+operr.Word(t)+"`", "the tag %s is in this clone already, at %.12s, and does not belong to this release", t, at))
		}
	}
	return append(found, findClashes(a)...)
}

// findBase reports a branch without the plan's base commit, or manifests that no longer match the plan.
func findBase(ctx context.Context, a *asked) []*operr.Error {
	on, err := a.trace.Repo.Contains(ctx, a.head.Commit, a.plan.Base)
	switch {
	case a.head.Commit == a.plan.Base || a.pending != nil:
		return nil
	case err != nil:
		return toFinding(err, "")
	case !on:
		return []*operr.Error{operr.New("switch to a branch that has this commit, or run `mage undo`", "the release of %s was begun on the commit %.12s, which is not on this branch any more", a.plan.Title, a.plan.Base).WithWayOn()}
	case a.plan.Compare(a.w) != "":
		return []*operr.Error{operr.New("correct the manifests, or run `mage undo`", "the manifests changed after the release of %s was begun: %s", a.plan.Title, a.plan.Compare(a.w)).WithWayOn()}
	}
	return nil
}

// findChannel checks the channel and the permission to publish to it.
func findChannel(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return nil
	}
	if a.channelErr != nil {
		return toFinding(a.channelErr, "check that this machine can reach the channel; PREFIX_SERVER_URL and PREFIX_CHANNEL name the channel")
	}
	found = append(toFinding(a.accessErr, ""), findPlace(a)...)
	if a.aim == unplanned || a.plan.Bump.Empty() || isUnder(ctx, a) {
		return found // the build step compares files on the channel with the built ones, before there is a tag
	}
	for _, pkg := range a.plan.Packages {
		if !slices.ContainsFunc(a.plan.Bump.Packages, func(m bump.Move) bool { return m.Name == pkg.Name }) {
			continue
		}
		for _, rec := range a.holdings.Of(pkg.Name, pkg.Version) {
			found = append(found, operr.New("pass -to with another version, because published packages are not replaced", "the channel %s has %s already, with sha256 %.12s", a.channel, rec.FileName(), rec.SHA256))
		}
	}
	return found
}

// findPlace reports a channel other than the agreed one, because uploads cannot be undone.
func findPlace(a *asked) []*operr.Error {
	if a.aim != begun || a.place == a.plan.Channel {
		return nil
	}
	return []*operr.Error{operr.New(plan.SameChannel+", or run `mage undo`", "the release of %s was begun for the channel %s, but the channel is %s now", a.plan.Title, a.plan.Channel, a.place).WithWayOn()}
}

// isUnder reports whether this release's bump is already in the work tree or committed.
func isUnder(ctx context.Context, a *asked) bool {
	if a.pending != nil || a.head.Commit != a.plan.Base {
		return true
	}
	pushed, _ := a.trace.FindPushed(ctx, a.refs)
	return pushed != ""
}

// findHub reports a token that cannot create a release.
func (p *Preflight) findHub(ctx context.Context, a *asked) []*operr.Error {
	if a.trace.Hub.Refuse() != "" {
		return nil
	}
	const unset = "or unset GITHUB_TOKEN to make no GitHub release"
	d, err := a.trace.Hub.Client.Details(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		return toFinding(err, "correct GITHUB_TOKEN, "+unset)
	case err != nil:
		return nil
	case d.Archived:
		return toFinding(operr.New("unarchive the repository, or choose another remote", "the repository %s is archived, so nothing can be written to the repository", a.trace.Hub.Repository), "")
	case d.Push != nil && !*d.Push:
		return toFinding(operr.New("set GITHUB_TOKEN to a token whose owner may push (contents: write), "+unset,
			"GITHUB_TOKEN may read %s, but cannot make a release, because the token's owner may not push", a.trace.Hub.Repository), "")
	case d.Push == nil && !p.toldHub:
		p.toldHub = true
		p.Say("it is not known whether GITHUB_TOKEN may make a release on %s, because GitHub does not show the rights of this token", a.trace.Hub.Repository)
	}
	return nil
}

// findTrigger reports a publishing workflow that the tags of a new release would not start. If only a manual run would be impossible, it reports this
// without stopping the release.
func (p *Preflight) findTrigger(a *asked) (found []*operr.Error) {
	if a.aim != drafted || a.trace.By() != settings.PublishCI {
		return nil
	}
	if why := a.trace.Hub.RefuseTags(a.trace.Repo.Top, a.plan.Tags); why != "" {
		return append(found, operr.New(`name these tags in the workflow: tags: ["v*", "*/v*"] matches every tag that a release pushes`, "nothing would publish: %s", why))
	}
	if why := a.trace.Hub.RefuseDispatch(a.trace.Repo.Top); why != "" && !p.toldRun {
		p.toldRun = true
		p.Say("if GitHub begins no run for a tag, this program cannot request a run: %s", why)
	}
	return nil
}

// findNoCI reports that no CI file publishes a new release. If a flag or the manifest says that a CI publishes, it is skipped, because the file may
// be elsewhere.
func (p *Preflight) findNoCI(ctx context.Context, a *asked) []*operr.Error {
	if a.aim != drafted || a.trace.Publish != "" || a.w.Config.PublishSet || a.trace.By() != settings.PublishCI {
		return nil
	}
	repo := a.trace.Repo
	if none := a.trace.Hub.FindNoCI(ctx, repo, repo.Top, a.w.Config.Remote); none.Lacks != "" {
		here := "mage release " + p.Request.Flags() + " -publish=here"
		return toFinding(operr.New(none.Next(here), "nothing would publish: %s", none.Lacks), "")
	}
	return nil
}
