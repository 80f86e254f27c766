// Package release implements releases, from a plan to packages that users can install.
//
// Start reading at [Release.Define], below, which lists the steps. Package workflow explains how steps run. A release can be killed at any point and
// run again, on this machine or on another one that knows nothing about it. In the end, either everything is done or nothing.
//
//	release.go  the inputs of a release, and its steps
//	run.go      whether to continue a release or begin a new one
//	agree.go    the steps preflight, plan and agree
//	landed.go   releases of versions that a pull request merged into the branch
//	unsent.go   versions that were bumped locally and not pushed
//	left.go     the remaining steps of a continued release
//	source.go   the git steps: commit, tag and push
//	refused.go  the errors of rejected pushes
//	build.go    the steps check and build, in a clone of the commit
//	try.go      the step import, which tries the built packages before there is a tag
//	channel.go  the steps publish, visible and verify
//	ci.go       waiting for a CI that publishes, and reading the digests that it recorded
//	hub.go      the GitHub release
//
// It has these subpackages: plan describes what the user agrees to, preflight checks everything before the first write, trace finds what a release
// left behind and who made it, forge handles the CIs, and undo undoes a release.
//
// This package makes the decisions. Access to git, the toolchain, the channel and GitHub is passed in, so a rehearsal runs the same code with other
// addresses.
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

// Means holds everything that a release gets from its caller.
type Means struct {
	// For all steps: the clone and its records.
	Repo  *gitrepo.Repo
	Store *bump.Store
	Root  string // workspace root, inside the work tree
	State string // folder for the journals; never committed
	Tool  string // version of this program
	Say   func(format string, args ...any)

	// For preflight.
	History  bump.History
	Readable func() []string // names of the credentials that repository code could read on this machine
	Fetching func() []string // environment variables that pixi uses to fetch packages during builds

	// For agree. Confirm shows the plan and asks the user. left describes the remaining work of a continued release; it is nil for a new one. If
	// Confirm returns an error, the run ends and nothing has changed.
	Confirm func(ctx context.Context, p *plan.Plan, left *Left) error

	// For the steps from check to verify.
	Runner   command.Runner
	Name     string            // workspace name, also used for clones in folders with other names
	Dir      string            // folder for files that outlast a run: the clone of the commit, environments, downloads
	Cache    string            // folder for build sources, which are removed after the build
	Pycache  string            // folder for Python byte code; "" uses one next to the environments
	Builds   *provenance.Store // build records
	Tools    func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
	Channel  func(w *workspace.Workspace) (publish.Destination, error) // always returns the same destination within an operation
	Trial    func(w *workspace.Workspace) publish.Trial
	Progress publish.Progress
	Wait     pause.Wait // how to wait for the index; its Tell reports every wait

	// For a CI that publishes, and for the GitHub release.
	GitHub forge.Hub
	CIWait time.Duration // time limit for the CI; 0 means one hour

	RunWithin time.Duration // how long to wait for GitHub to start a run for a tag before requesting one; 0 means 30s
}

// Release holds the inputs of a release and the user's request. Results that one step passes to another are not stored here: see [Release.Define].
type Release struct {
	Means
	Reporter workflow.Reporter
	Request  bump.Request // the user's request
	Publish  string       // settings.PublishCI or PublishHere, overriding the plan; "" uses the plan's value

	doubtful bool // whether only the manifest's default says that a CI publishes a release that this clone did not begin
}

// `given` is the result of an earlier step that a later step uses.
type given[R any] = *workflow.Value[R]

// Outcome holds the step results that reports use.
type Outcome struct {
	Plan   *workflow.Value[*plan.Plan]
	Commit *workflow.Value[trace.Commit]
	Sent   *workflow.Value[Sent]
	Hub    *workflow.Value[HubRelease] // unset if there is no GitHub release
}

// Define lists the steps and the results that each needs from earlier ones. Everything can be undone until the first upload, and nothing after it, so
// all steps that are likely to fail run before it. before describes what was known about the release when this run began: nothing, its plan, or its
// journal. s records the user's agreement to the plan.
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
	find.commit = commit // preflight and commit are checked again after a wait, and must then accept tags at this commit
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

// By returns who publishes: settings.PublishCI or PublishHere.
func (r *Release) By(p *plan.Plan) string { return r.Trace().For(p).By() }

// Trace returns a search for traces of releases.
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

// finder builds searches for traces of this release. Steps that are checked again after a wait have more results to search with.
type finder struct {
	before  *trace.Trace
	planned given[*plan.Plan]
	commit  given[trace.Commit] // tags at this commit belong to this release
}

// trace returns the search, including the results known so far.
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
