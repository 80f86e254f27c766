package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Facts is what preflight found where nothing is in the way.
type Facts struct {
	Branch     string `json:"branch"`
	Commit     string `json:"commit"`
	Toolchain  string `json:"toolchain"`
	Channel    string `json:"channel"`
	Credential string `json:"credential"`
}

func (f Facts) String() string {
	return fmt.Sprintf("%s at %.12s; %s; %s; %s", f.Branch, f.Commit, f.Toolchain, f.Channel, f.Credential)
}

// asked is what the world said to preflight. An error is of its question alone.
type asked struct {
	head     gitrepo.Head
	changes  []string
	tags     map[string]string
	refs     gitremote.Refs
	branch   string // that this release is made from; see workspace.Config.ReleaseBranch
	onBranch bool   // that it is checked out
	pending  *bump.Pending
	w        *workspace.Workspace
	bump     *bump.Plan
	holdings publish.Holdings
	place    string // URL of the channel
	tools    string
	access   channel.Access
	channel  string
	drafted  bool // the plan was worked out just now: nothing of it can have been done

	refsErr, wErr, bumpErr, channelErr, toolsErr, accessErr error
}

// preflight asks everything that can be asked before anything is written, and says everything that is in the way at once.
// Once the tag is on the remote, what matters for the rest is asked only.
func (r *Release) preflight(ctx context.Context, _ *Facts) (Facts, bool, error) {
	a, err := r.ask(ctx)
	if err != nil {
		return Facts{}, false, err
	}
	var found []*operr.Error
	found = append(found, r.ofManifests(ctx, a)...)
	if a.drafted = r.plan == nil && a.bump != nil && a.w != nil; a.drafted {
		a.bump.NoteGoModules(r.Repo.Top)
		if r.plan, err = r.draft(ctx, a.w, a.bump, a); err != nil {
			return Facts{}, false, err
		}
		if a.channelErr == nil {
			r.plan.Along = r.plan.along(a.holdings)
		}
		found = append(found, ofBump(a.bump)...)
	}
	found = append(found, r.ofPlatforms(ctx, a)...)
	found = append(found, r.ofFiles(ctx, a)...)
	found = append(found, r.ofGit(ctx, a)...)
	found = append(found, r.ofChannel(ctx, a)...)
	found = append(found, r.ofHub(ctx)...)
	if len(found) > 0 {
		if a.drafted {
			r.plan = nil
		}
		return Facts{}, false, inTheWay(found)
	}
	facts := Facts{Branch: a.branch, Commit: a.head.Commit, Toolchain: a.tools, Channel: a.channel, Credential: r.ciCredential(ctx, a.w.Config.Remote)}
	if r.By() == workspace.PublishHere {
		facts.Credential = a.access.Source
	}
	r.tellReadable(a)
	return facts, true, nil
}

// tellReadable says, once, which credentials are left that code of the repository could get at.
func (r *Release) tellReadable(a *asked) {
	if r.told || r.Readable == nil {
		return
	}
	r.told = true
	if names := r.Readable(); len(names) > 0 {
		r.Say("  code that checks and builds run could read: %s", strings.Join(names, ", "))
	}
	if len(r.Fetching) > 0 && strings.HasPrefix(a.tools, "pixi ") {
		r.Say("  pixi has %s while it builds, beside the build backends: let it be a key that reads only", strings.Join(r.Fetching, ", "))
	}
}

// inTheWay is the error for what preflight found; nil where that is nothing.
func inTheWay(found []*operr.Error) error {
	return operr.Join(found, "see to each; nothing was changed", "%d things are in the way", len(found))
}

// ask puts the questions, those side by side that take their time. Its own error ends the release: without an answer there
// is nothing to say.
func (r *Release) ask(ctx context.Context) (*asked, error) {
	a := &asked{}
	var err error
	if a.head, err = r.Repo.Head(ctx); err != nil {
		return nil, err
	}
	if a.tags, err = r.Repo.Tags(ctx); err != nil {
		return nil, err
	}
	if a.pending, err = r.Store.Pending(ctx, r.Repo); err != nil {
		return nil, err
	}
	if a.changes, err = r.Repo.Changes(ctx); err != nil {
		return nil, err
	}
	if a.w, a.wErr = workspace.Load(r.Root); a.wErr != nil {
		return a, ctx.Err()
	}
	var group errgroup.Group
	group.Go(func() error { a.refs, a.refsErr = gitremote.Read(ctx, r.Repo, a.w.Config.Remote); return nil })
	group.Go(func() error { r.askChannel(ctx, a); return nil })
	group.Go(func() error { r.askTools(ctx, a); return nil })
	if r.plan == nil {
		a.bump, a.bumpErr = bump.New(ctx, a.w, r.Request, r.History)
	}
	_ = group.Wait() // each error is in a
	a.branch, a.onBranch = branchOf(a.w, a.head, a.refs)
	if r.plan != nil { // it is pushed where its plan says
		a.branch, a.onBranch = r.plan.Branch, a.head.Branch == r.plan.Branch
	}
	if err := usage(a.bumpErr); err != nil {
		return nil, err
	}
	return a, context.Cause(ctx)
}

// usage is an error that no finding beside it could explain.
func usage(err error) error {
	if err != nil && operr.ExitStatus(err) == operr.Usage {
		return err
	}
	return nil
}

func (r *Release) askChannel(ctx context.Context, a *asked) {
	c, err := r.Channel(a.w)
	if err != nil {
		a.channelErr = err
		return
	}
	a.holdings, a.channelErr = publish.Look(ctx, c, a.w.Packages)
	a.place = c.URL()
	a.channel = a.place
	if !a.holdings.Exists {
		a.channel += " (not there yet, or empty)"
		if a.holdings.Unseen != nil {
			a.channel = a.place + " (none that anyone can see; where it is private, a credential here would show it)"
		}
	}
	by := r.Publish
	if by == "" {
		by = a.w.Config.Publish
	}
	if by == workspace.PublishHere {
		a.access, a.accessErr = c.Authorize(ctx)
	}
}

func (r *Release) askTools(ctx context.Context, a *asked) {
	tools, err := r.Tools(ctx, a.w, r.environments())
	if err == nil {
		a.tools, err = tools.Describe(ctx)
	}
	if err == nil { // verify installs them, when they are out
		err = errors.Join(tools.Ready(ctx), toolchain.Foresee(tools, a.w.Packages))
	}
	a.toolsErr = err
}

// finding is what an error says, to be said beside other things; next is its next step where it has none.
func finding(err error, next string) []*operr.Error {
	if err == nil {
		return nil
	}
	return []*operr.Error{operr.New(cmp.Or(operr.NextOf(err), next), "%v", err).WithDetail(operr.DetailOf(err))}
}

func (r *Release) ofManifests(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.wErr != nil {
		return finding(a.wErr, "correct the manifest")
	}
	found = append(found, finding(a.bumpErr, "")...)
	found = append(found, finding(a.toolsErr, "run `mage doctor`")...)
	found = append(found, bump.Unversioned(ctx, a.w, a.w.Packages, r.History)...)
	if a.bumpErr == nil && r.plan == nil {
		found = append(found, ofPins(a.w)...)
	}
	return found
}

// ofGit looks at clone and remote.
func (r *Release) ofGit(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.w == nil {
		return nil
	}
	if a.refsErr != nil {
		return finding(a.refsErr, "")
	}
	remote := a.w.Config.Remote
	if r.plan != nil && !a.drafted {
		pushed, err := r.pushed(ctx, a.refs)
		if pushed != "" || err != nil {
			return finding(err, "") // what is released now is what the tag names, wherever the clone is
		}
	}
	if what, end := r.Repo.Underway(ctx); what != "" {
		found = append(found, operr.New("end it: "+end, "git is in the middle of %s, which a commit would become a part of", what))
	}
	if len(a.changes) > 0 && a.pending == nil {
		found = append(found, operr.New("commit them, or put them away with `git stash -u`", "the work tree has changes: %s", operr.Some(a.changes)))
	}
	if !a.onBranch {
		found = append(found, r.ofBranch(a))
	}
	switch there, ok := a.refs.Branches[a.branch]; {
	case a.branch == "":
		// which one it would be cannot be told
	case !ok:
		found = append(found, operr.New("push it first: `git push -u "+remote+" "+a.branch+"`", "the remote %s has no branch %s", remote, a.branch))
	default:
		has, err := r.Repo.Contains(ctx, a.head.Commit, there)
		found = append(found, finding(err, "")...)
		if err == nil && !has {
			found = append(found, operr.New("`git pull`", "the clone is behind %s/%s (%.12s there)", remote, a.branch, there))
		}
	}
	if _, err := r.Repo.Identity(ctx); err != nil {
		found = append(found, finding(err, "")...)
	}
	if r.plan != nil {
		found = append(found, r.ofTags(ctx, a)...)
		found = append(found, r.ofBase(ctx, a)...)
	}
	return found
}

// ofTags wants the tags free, or at the commit of this release.
func (r *Release) ofTags(ctx context.Context, a *asked) (found []*operr.Error) {
	for _, t := range r.plan.Tags {
		if at, ok := a.refs.Tags[t]; ok {
			found = append(found, operr.New("say another version, or find out who pushed it", "the tag %s is on %s already, at %.12s, and that is not this release", t, r.plan.Remote, at))
			continue
		}
		at, ok := a.tags[t]
		onBase, err := r.Repo.Contains(ctx, at, r.plan.Base)
		onHead, errHead := r.Repo.Contains(ctx, a.head.Commit, at)
		if err := errors.Join(err, errHead); err != nil {
			found = append(found, finding(err, "")...)
			continue
		}
		ours := onBase && (at != r.plan.Base || r.plan.Bump.Empty()) && onHead
		if ok && !ours {
			found = append(found, operr.New("say another version, or `git tag -d "+t+"` if that release never was", "the tag %s is there already, at %.12s, which is not this release", t, at))
		}
	}
	return append(found, r.ofClashes(a)...)
}

// ofBase wants the clone to be where the plan left it: on its base, or on the release's commit and what was put on top.
func (r *Release) ofBase(ctx context.Context, a *asked) []*operr.Error {
	p := r.plan
	on, err := r.Repo.Contains(ctx, a.head.Commit, p.Base)
	switch {
	case a.head.Commit == p.Base || a.pending != nil:
		return nil
	case err != nil:
		return finding(err, "")
	case !on:
		return []*operr.Error{operr.New("go back to it, or `mage undo`", "the release of %s was begun on %.12s, which is not on this branch any more", p.Title, p.Base)}
	case p.agrees(a.w) != "":
		return []*operr.Error{operr.New("correct them, or `mage undo`", "the release of %s is under way, and the manifests are not as it left them: %s", p.Title, p.agrees(a.w))}
	}
	return nil
}

// ofChannel looks at the channel, and at the right to publish to it.
func (r *Release) ofChannel(ctx context.Context, a *asked) (found []*operr.Error) {
	if a.w == nil {
		return nil
	}
	if a.channelErr != nil {
		return finding(a.channelErr, "see whether it can be reached from here; PREFIX_SERVER_URL and PREFIX_CHANNEL say where it is")
	}
	found = append(finding(a.accessErr, ""), r.ofPlace(a)...)
	if r.plan == nil || r.plan.Bump.Empty() || r.under(ctx, a) {
		return found // what is there is compared with what is built, before there is a tag
	}
	for _, pkg := range r.plan.Packages {
		if !slices.ContainsFunc(r.plan.Bump.Packages, func(m bump.Move) bool { return m.Name == pkg.Name }) {
			continue
		}
		for _, rec := range a.holdings.Of(pkg.Name, pkg.Version) {
			found = append(found, operr.New("say another version: what is published stays as it is", "%s has %s already, sha256 %.12s…", a.channel, rec.FileName(), rec.SHA256))
		}
	}
	return found
}

// ofPlace wants the channel to be the one that was agreed to: what is uploaded to another one cannot be taken back.
func (r *Release) ofPlace(a *asked) []*operr.Error {
	if r.plan == nil || a.drafted || a.place == r.plan.Channel {
		return nil
	}
	return []*operr.Error{operr.New(sameChannel+", or `mage undo`", "the release of %s was begun for %s, and the channel is %s now", r.plan.Title, r.plan.Channel, a.place)}
}

// sameChannel is what to do where the channel is not the one that a release was begun for.
const sameChannel = "set PREFIX_SERVER_URL and PREFIX_CHANNEL as they were then, or [tool.release] channel"

// under says that the bump of this release is made, in the work tree or in a commit.
func (r *Release) under(ctx context.Context, a *asked) bool {
	if a.pending != nil || a.head.Commit != r.plan.Base {
		return true
	}
	pushed, _ := r.pushed(ctx, a.refs)
	return pushed != ""
}

// ofHub wants a token that may make a release, where there is one.
func (r *Release) ofHub(ctx context.Context) []*operr.Error {
	if r.noHub() != "" {
		return nil
	}
	const unset = "or unset it: then no GitHub release is made"
	d, err := r.GitHub.Client.Details(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		return finding(err, "correct GITHUB_TOKEN, "+unset)
	case err != nil:
		return nil
	case d.Archived:
		return finding(operr.New("unarchive it, or choose another remote", "the repository %s is archived: nothing can be written to it", r.GitHub.Repository), "")
	case d.Push != nil && !*d.Push:
		return finding(operr.New("give GITHUB_TOKEN a token whose owner may push (contents: write), "+unset,
			"GITHUB_TOKEN may read %s, and makes no release there: its owner may not push", r.GitHub.Repository), "")
	case d.Push == nil && !r.toldHub:
		r.toldHub = true
		r.Say("whether GITHUB_TOKEN may make a release on %s is not known before it is tried: GitHub does not say it of this token", r.GitHub.Repository)
	}
	return nil
}

// pushed is the commit that the remote's tags of this release name; "" where not all of them are there, or where they are of
// something else: the commit is made on the plan's base, and by this release, or, where it makes none, is that base. Tags that
// name different commits are an error.
func (r *Release) pushed(ctx context.Context, refs gitremote.Refs) (commit string, err error) {
	commit, err = sameCommit(refs.Tags, r.plan.Tags, r.plan.Remote)
	if err != nil || commit == "" || r.plan.Bump.Empty() && commit == r.plan.Base {
		return commit, err
	}
	on, err := r.Repo.Contains(ctx, commit, r.plan.Base)
	if !on || commit == r.plan.Base || !r.ours(commit) {
		return "", err
	}
	return commit, nil
}

func sameCommit(tags map[string]string, names []string, where string) (commit string, err error) {
	for _, t := range names {
		at, ok := tags[t]
		switch {
		case !ok:
			return "", nil
		case commit != "" && commit != at:
			return "", operr.NewStopped("find out which is right", "the tags of this release name different commits on %s: %s is at %.12s, and another at %.12s", where, t, at, commit)
		}
		commit = at
	}
	return commit, nil
}
