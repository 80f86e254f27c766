// Package release is the package release, as one definition: from a plan to packages that people can install.
//
// [Release.Define], below, is the list of its steps, and the place to start reading. Package workflow says what it means
// that they are steps: a release may be killed anywhere, run again, here or on a machine that knows nothing of it, and
// ends with nothing done or everything done.
//
//	release.go     what a release works with, and its steps
//	plan.go        the plan: a value with a digest
//	session.go     the release as a session: its journal, and the lock
//	run.go         which release it is: one that goes on, or a new one
//	preflight.go   everything that can be asked before anything is written
//	files.go       what of it is about files that packages lack
//	branch.go      which branch it is made from
//	past.go        what is refused by manifests alone, and what a journal says
//	present.go     what a clone knows that has no journal: tags, and what they stand for
//	source.go      bump, tag, push: what happens in git
//	refused.go     why a push was not taken
//	build.go       check and build, in a clone of the commit
//	try.go         import of what was built, before there is a tag
//	channel.go     publish, visible, verify
//	ci.go          where a CI publishes: waiting for it, and the digests that it recorded
//	pipeline.go    which CI there is, by its files: GitHub's, GitLab's, others
//	hub.go         the GitHub release
//	undo.go        the way back, before the point of no return
//	uploaded.go    whether that was passed: what is on the channel, or may be
//	ours.go        what of tags and commits is this release's, and not somebody else's
//	exact.go       whether a commit that an undo takes back is the release's own
//
// The package decides and does not reach out by itself: git, toolchain, channel and GitHub come in from outside, and a
// rehearsal is this definition with other addresses.
package release

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// World is what a release works with.
type World struct {
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
	GitHub  Hub

	// Confirm shows the plan and asks; its error ends the release with nothing changed.
	Confirm  func(ctx context.Context, p *Plan) error
	Say      func(format string, args ...any)
	Progress publish.Progress
	Readable func() []string // credentials that code of the repository could read on this machine, by name
	Fetching []string        // variables by which packages are fetched, and which pixi has when it builds
	Wait     pause.Wait      // for the index; its Tell is told of all waits
	CIWait   time.Duration   // how long a CI may take; 0 is an hour
	Today    string          // as 2006-01-02, for the changelog
}

// Hub is GitHub, as far as it can be reached.
type Hub struct {
	Repository string         // "owner/name"; "" where the remote is not on GitHub
	Client     *github.Client // nil without a repository
	Token      bool           // whether the client has one
}

// Release is one release under way.
type Release struct {
	World
	Reporter workflow.Reporter
	Request  bump.Request // what a person asks for
	Publish  string       // workspace.PublishCI or PublishHere, in place of the plan's; "" is the plan's

	session *session.Session[*Plan]
	plan    *Plan
	past    *Past // the journal that the plan is from; nil where it is of this run, or worked out from tags
	clone   *clone
	sending *publish.Sequence // of the clone
	told    bool              // which credentials code of the repository could read
	toldHub bool              // that it is not known whether the token may make a release
	tagDate time.Time         // the date of the tags that builds see

	commit    *workflow.Value[Commit]
	built     *workflow.Value[Built]
	published *workflow.Value[Published]
	verified  *workflow.Value[Verified]
	hub       *workflow.Value[HubRelease]
}

// Names of steps that others ask for.
const (
	StepCommit  = "bump and commit"
	StepTag     = "tag"
	StepPush    = "push"
	StepPublish = "publish"
	StepVerify  = "verify"
)

// Define lists the steps. Up to and with the tag everything can be taken back; from the first upload nothing can, so
// everything that may fail comes before.
func (r *Release) Define() *workflow.Definition {
	d := workflow.New()
	workflow.Add(d, workflow.Step[Facts]{Name: "preflight", Check: r.preflight, Say: Facts.String})
	workflow.Add(d, workflow.Step[string]{Name: "plan", Check: r.planned, Say: said})
	workflow.Add(d, workflow.Step[string]{Name: "agree", Do: r.agree, Say: said, Waits: true})
	r.commit = workflow.Add(d, workflow.Step[Commit]{Name: StepCommit, Check: r.committed, Do: r.bumpAndCommit, Say: Commit.String, Whole: true})
	workflow.Add(d, workflow.Step[Checked]{Name: "check", Skip: r.noCheck, Check: r.isChecked, Do: r.check, Say: Checked.String})
	r.built = workflow.Add(d, workflow.Step[Built]{Name: "build", Skip: r.builtElsewhere, Check: r.isBuilt, Do: r.build, Say: Built.String})
	workflow.Add(d, workflow.Step[Tried]{Name: "import", Skip: r.builtElsewhere, Check: r.isTried, Do: r.try, Say: Tried.String})
	workflow.Add(d, workflow.Step[Tagged]{Name: StepTag, Check: r.isTagged, Do: r.tag, Say: Tagged.String, Whole: true})
	workflow.Add(d, workflow.Step[Pushed]{Name: StepPush, Check: r.isPushed, Do: r.push, Say: Pushed.String, Whole: true, Retries: 3})
	r.published = workflow.Add(d, workflow.Step[Published]{Name: StepPublish, Check: r.isPublished, Do: r.publish, Say: Published.String, Waits: true})
	workflow.Add(d, workflow.Step[string]{Name: "visible", Check: r.isVisible, Do: r.visible, Say: said})
	r.verified = workflow.Add(d, workflow.Step[Verified]{Name: StepVerify, Check: r.isVerified, Do: r.verify, Say: Verified.String})
	r.hub = workflow.Add(d, workflow.Step[HubRelease]{Name: "GitHub release", Skip: r.noHub, Check: r.isOnHub, Do: r.putOnHub, Say: HubRelease.String})
	return d
}

func said(text string) string { return text }
