// Package releasepr implements `release -pr`, which proposes a release in a pull request.
//
// Each base branch has one proposal branch, foopack/release-BASE. It has one commit on top of the base, with the plan's edits and the release's
// section of the changelog. If people edit this section on the branch, their edits are kept. Each run recreates the commit on the base's latest
// commit. No state is kept in the clone: the remote shows what was done, so a run can be killed at any point and run again. After the merge,
// `release` continues with the landed versions (package release, trace.FindLanded).
//
//	releasepr.go  the command, and the sequence of its actions
//	propose.go    the commit, which is made in a clone of the base
//	edited.go     edits that people have made on the branch
//	pull.go       the pull request on GitHub
//	body.go       the pull request's text
//	tag.go        tagging the merged commit, in a CI job
//	announce.go   the GitHub release, in a CI job
package releasepr

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// View displays messages.
type View interface {
	Say(format string, args ...any)
	Line(format string, args ...any)
	Heading(format string, args ...any)
	Next(format string, args ...any)
	Plan(p *bump.Plan, brief bool)
}

// Proposer holds the inputs for proposing a release.
type Proposer struct {
	Runner command.Runner
	Dir    string // working directory
	View   View
	Today  string // date for the changelog, as 2006-01-02

	// Confirm asks the user. It returns an error if the answer is no.
	Confirm func(ctx context.Context, question string) error
	// Hub returns the hub on which the pull request is opened.
	Hub func(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error)
	// Channel returns the URL of the channel to which a workspace's packages are published.
	Channel func(w *workspace.Workspace) (url string, err error)
	CI      publishing.CI
	InJob   bool // whether this is a CI job; then a pull request that someone has closed is not an error
	ByJob   bool // whether the token is a CI job's own; then checks of the pull request must be started by a person

	// Done, if not nil, is called after each change outside of this clone. If it returns an error, the run ends as if it were killed. For tests.
	Done func(what string) error
}

// Result describes the pull request, or landed versions.
type Result struct {
	Branch string   `json:"branch,omitempty"` // source of the pull request
	Base   string   `json:"base"`             // target of the pull request
	Title  string   `json:"title,omitempty"`
	Commit string   `json:"commit,omitempty"` // head commit of Branch
	Number int      `json:"number,omitempty"` // number of the pull request; 0 if it must be opened by hand
	URL    string   `json:"url,omitempty"`    // URL of the pull request, or of the page for opening it
	Merged string   `json:"merged,omitempty"` // commit to tag, if the versions have already landed on the base
	Tags   []string `json:"tags,omitempty"`   // tags that Merged should get
	ByJobs bool     `json:"-"`                // whether CI jobs do everything after the merge
}

// Next returns the next step for the user.
func (r Result) Next() string {
	switch {
	case len(r.Tags) > 0:
		return "`mage status`"
	case r.Branch == "":
		return "`mage version:plan -to=auto`"
	case r.URL == "":
		return "open that pull request by hand; after the merge, run `git pull`, and then `mage release`"
	}
	if r.ByJobs {
		return "merge " + r.URL + "; CI jobs then tag the merge commit and publish the packages"
	}
	return "merge " + r.URL + "; then run `git pull`, and `mage release`"
}

// Asked holds the arguments of the command.
type Asked struct {
	Request bump.Request
	PR      bool
	Publish *string // who publishes; nil if not given
	Tag     *string // a landed and checked commit; nil for a proposal
}

// Do proposes a release, or tags landed versions. In a CI job, it sets the output "landed" to the commit to check and tag, or to "".
func (p *Proposer) Do(ctx context.Context, a Asked) (Result, error) {
	switch {
	case !a.PR:
		return Result{}, operr.NewUsage("pass -pr -tag=COMMIT", "-tag needs -pr: it tags the versions that a pull request has landed")
	case a.Publish != nil:
		return Result{}, operr.NewUsage("remove -publish, or set publish in [tool.release]", "-publish cannot be used with -pr: packages are published after the pull request is merged")
	case a.Tag != nil && a.Request.To != "":
		return Result{}, operr.NewUsage("remove -to", "-tag=%s tags the versions that have landed, so -to has no meaning", *a.Tag)
	case a.Tag != nil:
		return p.Tag(ctx, *a.Tag)
	}
	result, err := p.Run(ctx, a.Request)
	if err == nil {
		err = p.CI.SetOutput("landed", result.Merged)
	}
	return result, err
}

// proposal is the state of a run.
type proposal struct {
	*Proposer
	repo   *gitrepo.Repo
	store  *bump.Store
	w      *workspace.Workspace // workspace in this work tree; only its settings are used
	remote string
	refs   gitremote.Refs
	base   string // target branch
	onto   string // head commit of base
	branch string // branch with the proposal
	hub    forge.Hub
}

// Run creates or updates the pull request for the requested release.
func (p *Proposer) Run(ctx context.Context, req bump.Request) (Result, error) {
	if req.To != "" {
		if err := req.CheckTo(); err != nil {
			return Result{}, err
		}
	}
	r, err := p.openFor(ctx, (*proposal).refuseHub)
	if err != nil {
		return Result{}, err
	}
	tmp, remove, err := scratch.Make("", "release-pr-")
	if err != nil {
		return Result{}, err
	}
	defer remove() // the next run removes leftovers
	c, err := r.cloneBase(ctx, tmp)
	if err != nil {
		return Result{}, err
	}
	landed, err := trace.FindLanded(ctx, c.repo, c.store, c.w, bumping.HistoryOf(c.repo), r.refs.Tags)
	if err != nil {
		return Result{}, err
	}
	goesOn := landed != nil
	if goesOn {
		if goesOn, err = r.goesOn(ctx, landed); err != nil {
			return Result{}, err
		}
	}
	if goesOn {
		result, names := Result{Base: r.base, Merged: landed.Commit, Tags: landed.TagNames()}, strings.Join(landed.TagNames(), ", ")
		if r.InJob { // the job passes the commit on
			r.View.Line("%s is on %s, but not tagged yet, so no other release is proposed", names, r.base)
			return result, nil
		}
		return result, operr.NewStopped("run `git pull` and `mage release` to continue this release. If the check of the release fails, make your own pull request with another version: run `mage version:bump -to=patch -changelog -commit` on a branch",
			"%s is on %s, but not tagged yet, so no other release is proposed", names, r.base)
	}
	if req.To == "" {
		return Result{}, operr.NewUsage("pass -to=patch, minor, major, auto, or a version such as -to=1.2.0", "no version to propose was given")
	}
	req.Date = p.Today
	plan, err := c.plan(ctx, req)
	if err != nil {
		return Result{}, err
	}
	if plan == nil {
		r.View.Line("there is nothing to release on %s", r.base)
		return Result{Base: r.base}, nil
	}
	return r.propose(ctx, c, plan)
}

// goesOn reports whether landed versions should be tagged, and prints a message if not. A CI job tags only a merged release pull request: another
// pull request that changes a version may have been merged for its other changes, so someone must check it before it is published. Undone releases
// are never tagged.
func (r *proposal) goesOn(ctx context.Context, landed *trace.Landed) (bool, error) {
	of, err := r.landing(ctx, landed.Commit)
	if err != nil {
		return false, err
	}
	names := strings.Join(landed.TagNames(), ", ")
	switch {
	case of != nil && forge.IsUndone(of.Body):
		r.View.Say("%s is on %s, but `mage undo` has undone the release, as %s says, so another version is proposed. To release this version after all, run `mage release` on a laptop", names, r.base, of.URL)
		return false, nil
	case of == nil && r.InJob:
		r.View.Say("%s is on %s since the commit %.12s, which is not a merged pull request from %s, so no job tags this commit. To release this version, run `mage release` on a laptop",
			names, r.base, landed.Commit, r.branch)
		return false, nil
	}
	return true, nil
}

// openFor reads the remote, and returns an error if the run cannot succeed, before anything is changed. `refuse` checks the hub; if it is nil, the
// hub is not checked.
func (p *Proposer) openFor(ctx context.Context, refuse func(*proposal, context.Context) error) (*proposal, error) {
	b, err := bumping.Open(ctx, bumping.Config{Runner: p.Runner, Dir: p.Dir, View: p.View, Confirm: p.Confirm})
	if err != nil {
		return nil, err
	}
	if b.Repo == nil {
		return nil, operr.New("run `git init`, and add a remote on GitHub", "%s is not in a git repository, so no pull request can be made", b.Workspace.Root)
	}
	past, err := trace.FindUnfinished(filepath.Join(b.Repo.Dir, folders.State))
	if err != nil {
		return nil, err
	}
	if past != nil {
		return nil, operr.NewStopped("run `mage release` to continue the release, or `mage undo` to undo the release", "the release of %s is unfinished; nothing was changed", past.Plan.Title)
	}
	r := &proposal{
		Proposer: p,
		repo:     b.Repo,
		store:    b.Store,
		w:        b.Workspace,
		remote:   b.Workspace.Config.Remote,
	}
	if r.refs, err = gitremote.Read(ctx, r.repo, r.remote); err != nil {
		return nil, err
	}
	head, err := r.repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	r.base, _ = r.w.Config.ReleaseBranch(head.Branch, r.refs.Default)
	r.branch = forge.BranchOf(r.base)
	switch r.onto = r.refs.Branches[r.base]; {
	case r.base == "":
		return nil, operr.New("switch to one of these branches with `git switch`", "releases are made from %s, but the clone is not on such a branch", r.w.Config.ReleaseBranches(r.refs.Default))
	case r.onto == "":
		return nil, operr.New("push the branch first: `git push -u "+operr.Word(r.remote)+" "+operr.Word(r.base)+"`", "the remote %s has no branch %s", r.remote, r.base)
	}
	if r.hub, err = p.Hub(ctx, r.repo, r.w); err != nil {
		return nil, err
	}
	if refuse != nil {
		if err := refuse(r, ctx); err != nil {
			return nil, err
		}
	}
	return r, r.fetch(ctx)
}

// fetch fetches the remote's branches and all tags that the clone lacks.
func (r *proposal) fetch(ctx context.Context) error {
	here, err := r.repo.Tags(ctx)
	if err != nil {
		return err
	}
	var lacks []string
	for tag := range r.refs.Tags {
		if _, ok := here[tag]; !ok {
			lacks = append(lacks, tag)
		}
	}
	slices.Sort(lacks)
	if err := gitremote.Fetch(ctx, r.repo, r.remote, lacks...); err != nil {
		return err
	}
	head, err := r.repo.Head(ctx)
	if err != nil || head.Branch != r.base {
		return err
	}
	ahead, err := r.repo.CountAhead(ctx, head.Commit, r.onto)
	if err == nil && ahead > 0 {
		r.View.Say("%s of this clone %s not on %s/%s, and not part of the proposal", operr.Count(ahead, "commit"), map[bool]string{true: "is", false: "are"}[ahead == 1], r.remote, r.base)
	}
	return err
}

// propose creates or updates the branch and its pull request to match the plan.
func (r *proposal) propose(ctx context.Context, c *clone, plan *bump.Plan) (Result, error) {
	pulls, err := r.pulls(ctx)
	if err != nil {
		return Result{}, err
	}
	of := c.of(plan)
	open, err := r.choosePull(pulls, of)
	if errors.Is(err, errClosed) && r.InJob {
		r.View.Line("%v", err)
		return Result{Base: r.base}, nil
	}
	if err != nil {
		return Result{}, err
	}
	at := r.refs.Branches[r.branch]
	before, err := r.examine(ctx, at, pulls)
	if err != nil {
		return Result{}, err
	}
	made, err := r.commit(ctx, c, plan, before)
	if err != nil {
		return Result{}, err
	}
	text, err := r.describe(c, plan, made)
	if err != nil {
		return Result{}, err
	}
	result := Result{
		Branch: r.branch,
		Base:   r.base,
		Title:  text.title,
		Commit: made.commit,
	}
	same, err := r.isThere(ctx, at, made)
	if err != nil {
		return Result{}, err
	}
	if same {
		result.Commit = at
	}
	if same && (r.hub.Client == nil || open != nil && text.isIn(*open)) {
		return r.end(result, open, "already has this plan"), nil
	}
	r.View.Plan(plan, true)
	if err := r.Confirm(ctx, "Propose "+of.title+" to "+r.base+" in a pull request?"); err != nil {
		if errors.Is(err, operr.ErrDeclined) {
			err = operr.NewDeclined("not proposed")
		}
		return Result{}, err
	}
	if !same {
		if err := gitremote.PushOver(ctx, r.repo, r.remote, r.branch, at, made.commit); err != nil {
			return Result{}, r.explainPush(err)
		}
		if err := r.did("pushed"); err != nil {
			return Result{}, err
		}
	}
	if r.hub.Client == nil {
		return r.end(result, nil, "is pushed"), nil
	}
	if open, err = r.putPull(ctx, open, text); err != nil {
		return Result{}, err
	}
	return r.end(result, open, "is up to date"), r.did("pull request")
}

func (r *proposal) did(what string) error {
	if r.Done == nil {
		return nil
	}
	return r.Done(what)
}
