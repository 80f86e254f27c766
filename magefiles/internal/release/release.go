// Package release is the package release, as one definition: from a plan to packages that people can install.
//
// [Release.Define], below, is the list of its steps, and the place to start reading. Package workflow says what it means
// that they are steps: a release may be killed anywhere, run again, here or on a machine that knows nothing of it, and
// ends with nothing done or everything done.
//
//	release.go  what a release works with, and its steps
//	run.go      which release it is: one that goes on, or a new one
//	agree.go    preflight, plan and question
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
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Means are what a release works with.
type Means struct {
	Repo   *gitrepo.Repo
	Store  *bump.Store
	Runner command.Runner
	Root   string            // of the workspace, in the work tree
	Name   string            // of the workspace: a clone of it in another folder has the same
	Dir    string            // for what a release makes and keeps: the clone of the commit, environments, downloads
	Cache  string            // for the sources of builds, of which nothing stays
	State  string            // folder of the journals; nothing in it is ever committed
	Builds *provenance.Store // records of what was built
	Tool   string            // version of this program

	History bump.History
	Tools   func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
	Channel func(w *workspace.Workspace) (publish.Channel, error) // one for all of an operation
	Trial   func(w *workspace.Workspace) publish.Trial
	GitHub  forge.Hub

	// Confirm shows the plan and asks; its error ends the release with nothing changed.
	Confirm  func(ctx context.Context, p *plan.Plan) error
	Say      func(format string, args ...any)
	Progress publish.Progress
	Readable func() []string // credentials that code of the repository could read on this machine, by name
	Fetching func() []string // variables by which packages are fetched, and which pixi has when it builds
	Wait     pause.Wait      // for the index; its Tell is told of all waits
	CIWait   time.Duration   // how long a CI may take; 0 is an hour
}

// Release is one release under way.
type Release struct {
	Means
	Reporter workflow.Reporter
	Request  bump.Request // what a person asks for
	Publish  string       // workspace.PublishCI or PublishHere, in place of the plan's; "" is the plan's

	session *session.Session[*plan.Plan]
	plan    *plan.Plan
	past    *trace.Past // the journal that the plan is from; nil where none knows of it from before this run
	asks    preflight.Preflight
	clone   *clone
	sending *publish.Sequence // of the clone
	tagDate time.Time         // the date of the tags that builds see

	commit *workflow.Value[trace.Commit]
	built  *workflow.Value[Artifacts]
	sent   *workflow.Value[Sent]
	hub    *workflow.Value[HubRelease]
}

// Define lists the steps. Up to and with the tag everything can be taken back; from the first upload nothing can, so
// everything that may fail comes before.
func (r *Release) Define() *workflow.Definition {
	r.asks = preflight.Preflight{
		Request:      r.Request,
		History:      r.History,
		Tools:        r.Tools,
		Environments: r.environments(),
		Readable:     r.Readable,
		Fetching:     r.Fetching,
		Say:          r.Say,
	}
	d := workflow.New()
	workflow.Add(d, workflow.Step[preflight.Facts]{Name: trace.StepPreflight, Check: r.ask, Say: preflight.Facts.String})
	workflow.Add(d, workflow.Step[string]{Name: trace.StepPlan, Check: r.isPlanned, Say: echo})
	workflow.Add(d, workflow.Step[string]{Name: trace.StepAgree, Do: r.agree, Say: echo, Waits: true})
	r.commit = workflow.Add(d, workflow.Step[trace.Commit]{Name: trace.StepCommit, Check: r.isCommitted, Do: r.bumpAndCommit, Say: trace.Commit.String, Whole: true})
	workflow.Add(d, workflow.Step[Checked]{Name: trace.StepCheck, Skip: r.skipCheck, Check: r.isChecked, Do: r.check, Say: Checked.String})
	r.built = workflow.Add(d, workflow.Step[Artifacts]{Name: trace.StepBuild, Skip: r.skipBuild, Check: r.isBuilt, Do: r.build, Say: Artifacts.String})
	workflow.Add(d, workflow.Step[Tried]{Name: trace.StepImport, Skip: r.skipBuild, Check: r.isTried, Do: r.try, Say: Tried.String})
	workflow.Add(d, workflow.Step[Tagged]{Name: trace.StepTag, Check: r.isTagged, Do: r.tag, Say: Tagged.String, Whole: true})
	workflow.Add(d, workflow.Step[Pushed]{Name: trace.StepPush, Check: r.isPushed, Do: r.push, Say: Pushed.String, Whole: true, Retries: 3})
	r.sent = workflow.Add(d, workflow.Step[Sent]{Name: trace.StepPublish, Check: r.isPublished, Do: r.publish, Say: Sent.String, Waits: true})
	workflow.Add(d, workflow.Step[string]{Name: trace.StepVisible, Check: r.isVisible, Do: r.show, Say: echo})
	workflow.Add(d, workflow.Step[Proof]{Name: trace.StepVerify, Check: r.isVerified, Do: r.verify, Say: Proof.String})
	r.hub = workflow.Add(d, workflow.Step[HubRelease]{Name: trace.StepHub, Skip: r.GitHub.Refuse, Check: r.isOnHub, Do: r.putOnHub, Say: HubRelease.String})
	return d
}

func echo(text string) string { return text }

// Trace is where what a release leaves behind is looked for: of the release that is under way, once it is known which one that is.
func (r *Release) Trace() *trace.Trace {
	return &trace.Trace{
		Repo:    r.Repo,
		Store:   r.Store,
		Root:    r.Root,
		State:   r.State,
		Channel: r.Channel,
		Hub:     r.GitHub,
		Publish: r.Publish,
		Plan:    r.plan,
		Past:    r.past,
		Found: func() string {
			if r.commit == nil || !r.commit.Known() {
				return ""
			}
			return r.commit.Get().Hash
		},
	}
}
