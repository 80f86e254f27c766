// Package releasepr is `release -pr`: a release whose commit comes to its branch by a pull request.
//
// There is one branch for each base, foopack/release-BASE, with one commit of ours on top of the base: the edits of the plan, and the changelog's section
// with what people wrote into it on that branch. Run again, it is made anew on what the base is at by then. Nothing is kept in the clone: what was done is
// seen on the remote, so that a run may be killed anywhere and run again. Once it is merged, `release` goes on with it (package release, trace.FindLanded).
//
//	releasepr.go  what is asked, and in which order things are done
//	propose.go    the commit, which is made in a clone of the base
//	edited.go     what people did to the branch since
//	pull.go       the pull request, as GitHub has it
//	body.go       its text
//	tag.go        the tag of what was merged, in a job
//	announce.go   the GitHub release, in a job
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

// View is what people see.
type View interface {
	Say(format string, args ...any)
	Line(format string, args ...any)
	Heading(format string, args ...any)
	Next(format string, args ...any)
	Plan(p *bump.Plan, brief bool)
}

// Proposer is what a pull request is made with.
type Proposer struct {
	Runner command.Runner
	Dir    string // where we were started
	View   View
	Today  string // as 2006-01-02, for the changelog

	// Confirm asks a person. Its error is the answer no.
	Confirm func(ctx context.Context, question string) error
	// Hub is where the pull request is opened.
	Hub func(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error)
	// Channel is the address of the channel that packages of a workspace are published to.
	Channel func(w *workspace.Workspace) (url string, err error)
	CI      publishing.CI
	InJob   bool // of a CI, which nobody looks at: a pull request that somebody has closed is no failure
	ByJob   bool // the token is that of a job: checks of what it opens wait for a person

	// Done is told after each thing that was done to the outside. Its error ends the run as a kill would. Tests use it; nil is nobody.
	Done func(what string) error
}

// Result is what came of it.
type Result struct {
	Branch string   `json:"branch,omitempty"` // that the pull request comes from
	Base   string   `json:"base"`             // that it goes to
	Title  string   `json:"title,omitempty"`
	Commit string   `json:"commit,omitempty"` // that the branch is at
	Number int      `json:"number,omitempty"` // of the pull request; 0 where it is to be opened by hand
	URL    string   `json:"url,omitempty"`    // of the pull request, or where one is opened
	Merged string   `json:"merged,omitempty"` // the commit that is to be tagged: the versions are on the base already
	Tags   []string `json:"tags,omitempty"`   // that it is to get
}

// Asked is what a person, or a job, asks for.
type Asked struct {
	Request bump.Request
	PR      bool
	Publish *string // who publishes; nil where that was not said
	Tag     *string // a commit that has landed and was checked; nil for a proposal
}

// Do proposes a release, or tags what has landed. A job's output "landed" is the commit that is to be checked and tagged, "" for none.
func (p *Proposer) Do(ctx context.Context, a Asked) (Result, error) {
	switch {
	case !a.PR:
		return Result{}, operr.NewUsage("say -pr -tag=COMMIT", "-tag is for what a pull request has landed")
	case a.Publish != nil:
		return Result{}, operr.NewUsage("leave it out, or set publish in [tool.release]", "-publish is for what comes after the pull request is merged")
	case a.Tag != nil && a.Request.To != "":
		return Result{}, operr.NewUsage("leave -to out", "-tag=%s tags what has landed, whatever its version", *a.Tag)
	case a.Tag != nil:
		return p.Tag(ctx, *a.Tag)
	}
	result, err := p.Run(ctx, a.Request)
	if err == nil {
		err = p.CI.SetOutput("landed", result.Merged)
	}
	return result, err
}

// proposal is one run.
type proposal struct {
	*Proposer
	repo   *gitrepo.Repo
	store  *bump.Store
	w      *workspace.Workspace // as it is here: only its settings matter
	remote string
	refs   gitremote.Refs
	base   string // branch
	onto   string // the commit that it is at
	branch string // that the pull request comes from
	hub    forge.Hub
}

// Run makes or renews the pull request that a request asks for.
func (p *Proposer) Run(ctx context.Context, req bump.Request) (Result, error) {
	r, err := p.openFor(ctx, (*proposal).refuseHub)
	if err != nil {
		return Result{}, err
	}
	tmp, remove, err := scratch.Make("", "release-pr-")
	if err != nil {
		return Result{}, err
	}
	defer remove() // what stays, the next run removes
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
		if r.InJob { // which hands it on
			r.View.Line("%s is on %s, and not tagged: until it is, nothing else is proposed", names, r.base)
			return result, nil
		}
		return result, operr.NewStopped("`git pull` and `mage release` go on with it. Where its check fails, bring another version by a pull request of your own: `mage version:bump -to=patch -changelog -commit` on a branch",
			"%s is on %s, and not tagged: until it is, nothing else is proposed", names, r.base)
	}
	if req.To == "" {
		return Result{}, operr.NewUsage("say -to=patch, minor, major, auto, or a version such as -to=1.2.0", "it is not said which version is to be proposed")
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

// goesOn reports whether what has landed is to be tagged, and says why not. A job tags only what GitHub made of a pull request of ours: a change of a version
// that somebody else proposed may have been merged for something else that it said, and a person looks at it before it is published. What was taken back by
// undo is left by everybody.
func (r *proposal) goesOn(ctx context.Context, landed *trace.Landed) (bool, error) {
	of, err := r.landing(ctx, landed.Commit)
	if err != nil {
		return false, err
	}
	names := strings.Join(landed.TagNames(), ", ")
	switch {
	case of != nil && forge.IsUndone(of.Body):
		r.View.Say("%s is on %s, and was taken back by undo, as %s says: another version is proposed. If it is to be released after all, `mage release` on a laptop goes on with it", names, r.base, of.URL)
		return false, nil
	case of == nil && r.InJob:
		r.View.Say("%s is on %s by %.12s, which is no merged pull request of %s: no job tags it. If it is to be released, `mage release` on a laptop goes on with it",
			names, r.base, landed.Commit, r.branch)
		return false, nil
	}
	return true, nil
}

// openFor asks the remote, and refuses what cannot come to its end, before anything is made; a nil refuse refuses no hub.
func (p *Proposer) openFor(ctx context.Context, refuse func(*proposal, context.Context) error) (*proposal, error) {
	b, err := bumping.Open(ctx, bumping.Config{Runner: p.Runner, Dir: p.Dir, View: p.View, Confirm: p.Confirm})
	if err != nil {
		return nil, err
	}
	if b.Repo == nil {
		return nil, operr.New("`git init`, and a remote on GitHub", "%s is in no git repository: there is nothing to propose to", b.Workspace.Root)
	}
	past, err := trace.Unfinished(filepath.Join(b.Repo.Dir, folders.State))
	if err != nil {
		return nil, err
	}
	if past != nil {
		return nil, operr.NewStopped("`mage release` goes on with it, `mage undo` takes it back", "the release of %s is unfinished; nothing was changed", past.Plan.Title)
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
		return nil, operr.New("go to one with `git switch`", "releases are made from %s, and the clone is on none of them", r.w.Config.ReleaseBranches(r.refs.Default))
	case r.onto == "":
		return nil, operr.New("push it first: `git push -u "+operr.Word(r.remote)+" "+operr.Word(r.base)+"`", "the remote %s has no branch %s", r.remote, r.base)
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

// fetch brings here what the remote's branches have, and the tags by which versions are counted.
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
	ahead, err := r.repo.Ahead(ctx, head.Commit, r.onto)
	if err == nil && ahead > 0 {
		r.View.Say("%s of this clone %s not on %s/%s, and no part of it", operr.Count(ahead, "commit"), map[bool]string{true: "is", false: "are"}[ahead == 1], r.remote, r.base)
	}
	return err
}

// propose brings the branch and its pull request to what the plan is.
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
		return r.end(result, open, "is as the plan is"), nil
	}
	r.View.Plan(plan, true)
	if err := r.Confirm(ctx, "Propose "+of.title+" to "+r.base+" by a pull request?"); err != nil {
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
