// Package release is the package release, as one definition: from a plan to packages that people can install.
//
// [Release.Define], below, is the list of its steps, and the place to start reading. Package workflow says what it means
// that they are steps: a release may be killed anywhere, run again, here or on a machine that knows nothing of it, and
// ends with nothing done or everything done.
//
//	release.go  what a release works with, and its steps
//	run.go      which release it is: one that goes on, or a new one
//	agree.go    preflight, plan and question
//	landed.go   a release of versions that a pull request has brought to the branch
//	left.go     what is left to do of a release that is gone on with
//	source.go   bump, tag, push: what happens in git
//	refused.go  why a push was not taken
//	build.go    check and build, in a clone of the commit
//	try.go      import of what was built, before there is a tag
//	channel.go  publish, visible, verify
//	ci.go       where a CI publishes: waiting for it, and the digests that it recorded
//	hub.go      the GitHub release
//
// Package plan has what a person agrees to, preflight what is asked before anything is written, trace what a release leaves behind and whose
// it is, forge the CIs, and undo the way back.
//
// The package decides and does not reach out by itself: git, toolchain, channel and GitHub come in from outside, and a
// rehearsal is this definition with other addresses.
package release

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Means are what a release works with, outside of itself.
type Means struct {
	// All steps: the clone, and what is kept in it.
	Repo  *gitrepo.Repo
	Store *bump.Store
	Root  string // of the workspace, in the work tree
	State string // folder of the journals; nothing in it is ever committed
	Tool  string // version of this program
	Say   func(format string, args ...any)

	// preflight.
	History  bump.History
	Readable func() []string // credentials that code of the repository could read on this machine, by name
	Fetching func() []string // variables by which packages are fetched, and which pixi has when it builds

	// agree. Confirm shows the plan, or what is left of a release that is gone on with (nil of a new one), and asks; its error ends this run with
	// nothing changed.
	Confirm func(ctx context.Context, p *plan.Plan, left *Left) error

	// What happens to packages: check to verify.
	Runner   command.Runner
	Name     string            // of the workspace: a clone of it in another folder has the same
	Dir      string            // for what a release makes and keeps: the clone of the commit, environments, downloads
	Cache    string            // for the sources of builds, of which nothing stays
	Pycache  string            // for byte code of what is imported; "" is a folder beside the environments
	Builds   *provenance.Store // records of what was built
	Tools    func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
	Channel  func(w *workspace.Workspace) (publish.Destination, error) // one for all of an operation
	Trial    func(w *workspace.Workspace) publish.Trial
	Progress publish.Progress
	Wait     pause.Wait // for the index; its Tell is told of all waits

	// A CI that publishes, and the GitHub release.
	GitHub forge.Hub
	CIWait time.Duration // how long a CI may take; 0 is an hour

	RunWithin time.Duration // how long GitHub has to begin a run for a tag, before one is asked for; 0 is 30 s
}

// Release is what a release is made with, and what a person asks for. What one step leaves to another is not here: [Release.Define] hands it on.
type Release struct {
	Means
	Reporter workflow.Reporter
	Request  bump.Request // what a person asks for
	Publish  string       // workspace.PublishCI or PublishHere, in place of the plan's; "" is the plan's
}

// given is what a step above has made or found, for the steps that are defined with it.
type given[R any] = *workflow.Value[R]

// Outcome is what the steps have made of a release, for who tells of it.
type Outcome struct {
	Plan   *workflow.Value[*plan.Plan]
	Commit *workflow.Value[trace.Commit]
	Sent   *workflow.Value[Sent]
	Hub    *workflow.Value[HubRelease] // not known where there is no GitHub release
}

// Define lists the steps, each with what it needs of those above it. Up to and with the tag everything can be taken back; from the first
// upload nothing can, so everything that may fail comes before. before is what is known of the release from before this run: nothing, its
// plan, or its journal. s is where its plan is agreed to.
func (r *Release) Define(before *trace.Trace, s *session.Session[*plan.Plan]) (*workflow.Definition, Outcome) {
	d := workflow.New()
	planned, setPlan := workflow.Later[*plan.Plan](trace.StepPreflight)
	if before.Plan != nil {
		setPlan(before.Plan)
	}
	find := &finder{before: before, planned: planned}

	workflow.Add(d, r.definePreflight(find, setPlan))
	workflow.Add(d, r.definePlan(planned))
	workflow.Add(d, r.defineAgree(before, planned, s))
	commit := workflow.Add(d, r.defineCommit(find, planned))
	find.commit = commit // preflight and commit are asked again after a wait, and tags of this commit are not in their way then
	shop := &workshop{Release: r, planned: planned, commit: commit}
	workflow.Add(d, r.defineCheck(planned, commit, shop))
	built := workflow.Add(d, r.defineBuild(planned, commit, shop))
	workflow.Add(d, r.defineImport(planned, commit, built, shop))
	workflow.Add(d, r.defineTag(planned, commit, built))
	workflow.Add(d, r.definePush(find, planned, commit))
	sent := workflow.Add(d, r.definePublish(planned, commit, built, shop))
	workflow.Add(d, r.defineVisible(sent, shop))
	workflow.Add(d, r.defineVerify(planned, commit, built, sent, shop))
	hub := workflow.Add(d, r.defineHub(planned, commit, sent, shop))
	return d, Outcome{
		Plan:   planned,
		Commit: commit,
		Sent:   sent,
		Hub:    hub,
	}
}

func echo(text string) string { return text }

// By is who publishes.
func (r *Release) By(p *plan.Plan) string { return r.Trace().For(p).By() }

// Trace is where what releases leave behind is looked for.
func (r *Release) Trace() *trace.Trace {
	return &trace.Trace{
		Repo:    r.Repo,
		Store:   r.Store,
		Root:    r.Root,
		State:   r.State,
		Channel: r.Channel,
		Hub:     r.GitHub,
		Publish: r.Publish,
	}
}

// finder finds what this release leaves behind. Steps that are asked again after a wait know more of it than at first.
type finder struct {
	before  *trace.Trace
	planned given[*plan.Plan]
	commit  given[trace.Commit] // tags that name it are this release's
}

// trace is where it is looked, with what is known by now.
func (f *finder) trace() *trace.Trace {
	t := *f.before
	if f.planned.Known() {
		t.Plan = f.planned.Get()
	}
	t.Found = func() string {
		if !f.commit.Known() {
			return ""
		}
		return f.commit.Get().Hash
	}
	return &t
}
