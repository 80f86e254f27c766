// Package delivery takes a downstream from new versions of its packages to running hosts, in one resumable run: it moves, locks, checks, commits and
// pushes the pins, builds the image, and deploys it to one environment after another.
//
// [Delivery.Define] lists the steps, and is the place to start reading. Other packages (bump, toolchain, imagejob, deploy) do the work of the
// steps, through functions in Means. This package determines the order of the steps, which of them are already done, and how they are undone.
//
//	delivery.go  defines a delivery's inputs, lists its steps, and runs them
//	plan.go      defines the plan that the user confirms
//	source.go    changes the clone: pins, lock, check, commit, push
//	image.go     builds the image, or waits for a CI to build it
//	ci.go        watches the CI
//	stages.go    deploys to the environments, with a confirmation between them
//	back.go      undoes a delivery
package delivery

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// The steps of a delivery. They are followed by steps for each environment, see [deployStep] and [approveStep].
const (
	stepPins   = begun.StepPins
	stepLock   = "lock"
	stepCheck  = "check"
	stepCommit = begun.StepCommit
	stepPush   = begun.StepPush
	stepImage  = begun.StepImage
)

// Stage is a deployment environment.
type Stage interface {
	Name() string
	// After returns the name of the environment that must run an image before this one may get it, or "" if there is none.
	After() string
	// Runs reports whether all hosts run the image and are healthy, and whether some hosts have it in any state. It returns an error if a host
	// cannot be queried.
	Runs(ctx context.Context, image survey.Image) (all, some bool, err error)
	// Deploy deploys the image to all hosts, or to none.
	Deploy(ctx context.Context, image survey.Image) error
	// Back rolls all hosts back to the release before their current one.
	Back(ctx context.Context) error
}

// Means contains the functions and values that the caller provides for a delivery.
type Means struct {
	App    string // name of the downstream
	Repo   *gitrepo.Repo
	Store  *bump.Store // the workspace's files
	State  string      // folder for the journals of this work tree; never committed
	Shared string      // folder for the lock, shared by all work trees of the clone; "" uses State
	Tool   string      // version of this program
	Remote string      // name of the remote
	Locked string      // the downstream's lock file, relative to the top of the work tree; "" if there is none

	Pins  func(ctx context.Context) (*bump.Plan, error) // plans the moves of the downstream's pins; empty if none moves
	Lock  func(ctx context.Context) error               // updates the lock file
	Check func(ctx context.Context) error               // runs the downstream's check; nil if it has none
	Find  func(ctx context.Context, commit string) (image survey.Image, there bool, err error)
	Build func(ctx context.Context, commit string) error // builds the image of the checked-out commit, and pushes it
	CI    CI                                             // nil if the image is built locally

	To      string  // requested version; "" for the newest, or that of the unfinished delivery
	Until   string  // last requested environment; "" for the last of all, or that of the unfinished delivery
	Stages  []Stage // all environments, in the order of Order
	Confirm func(ctx context.Context, p *Plan) error
	Approve func(ctx context.Context, question string) error // asks for confirmation before an environment that follows another one

	Reporter workflow.Reporter
	Say      func(format string, args ...any)
	Tell     func(pause.Progress)
}

// Delivery delivers one downstream to its hosts.
type Delivery struct{ Means }

// Run starts a delivery, or resumes the unfinished one. It returns nil if there is nothing to do.
func (d *Delivery) Run(ctx context.Context) (*Plan, error) {
	past, err := d.operation().Run(ctx)
	if no := (*unapproved)(nil); errors.As(err, &no) {
		return nil, no.error // a declined confirmation, not a failed step
	}
	if past == nil || err != nil {
		return nil, err
	}
	return past.Plan, nil
}

// Undo undoes the unfinished delivery.
func (d *Delivery) Undo(ctx context.Context) (*Plan, error) {
	past, err := d.operation().Undo(ctx)
	if err != nil {
		return nil, err
	}
	return past.Plan, nil
}

// FindUnfinished returns the plan of the unfinished delivery, or an error if there is none.
func (d *Delivery) FindUnfinished() (*Plan, error) {
	past, err := d.operation().Last()
	switch {
	case err != nil:
		return nil, err
	case past == nil || past.End != "":
		return nil, operr.New("run `mage deliver -status` to see the last delivery", "there is no unfinished delivery to undo")
	}
	return past.Plan, nil
}

// askedFor is the timeout for each query in Look. Hosts are queried concurrently, and an unresponsive host fails earlier.
const askedFor = time.Minute

// Look returns the progress of the last delivery, step by step, without changing anything. It returns nil if there is none.
func (d *Delivery) Look(ctx context.Context) (*session.Past[*Plan], []workflow.Standing, error) {
	return d.operation().Look(ctx, askedFor)
}

// Holder describes the process that is currently working on a delivery of this clone, and since when. It returns "" if there is none.
func (d *Delivery) Holder() (string, error) { return d.operation().Holder() }

// Kind describes delivery sessions, given the folder for a work tree's journals and the folder for the clone's lock.
func Kind(state, shared, tool string) session.Kind[*Plan] {
	return session.Kind[*Plan]{
		Name:  begun.Name,
		Dir:   begun.Dir(state),
		Locks: begun.Dir(cmp.Or(shared, state)),
		Tool:  tool,
		Done:  "delivered",
		Type: session.Commands{
			Run:    "mage deliver",
			Status: "mage deliver -status",
			Undo:   "mage deliver -undo",
		},
	}
}

func (d *Delivery) operation() *session.Operation[*Plan] {
	return &session.Operation[*Plan]{
		Kind:      Kind(d.State, d.Shared, d.Tool),
		Make:      d.plan,
		Continue:  d.accept,
		Confirm:   d.Confirm,
		Define:    d.Define,
		Revert:    d.revert,
		Reporter:  d.Reporter,
		Transient: gitremote.Transient,
	}
}

// accept returns an error if the user requests a different application, version or environment than the unfinished delivery. Anything that is not
// specified matches, even if there is a newer version by now. A delivery without pin moves has the checked-out versions.
func (d *Delivery) accept(ctx context.Context, past *session.Past[*Plan]) error {
	fits := past.Plan.fits(d.App, d.To, d.Until)
	if fits && d.To != "" && past.Plan.Pins.Empty() {
		pins, err := d.Pins(ctx)
		if err != nil {
			return err
		}
		fits = pins.Empty()
	}
	if fits {
		return nil
	}
	return operr.NewStopped("run `mage deliver` without -to and -until to continue the delivery, or `mage deliver -undo` to undo the delivery",
		"the delivery %s is unfinished, so no other delivery can start", past.Plan.Label())
}

// Define returns the steps for a plan.
func (d *Delivery) Define(p *Plan) *workflow.Definition {
	w := workflow.New()
	s := &source{Delivery: d, p: p}
	workflow.Add(w, s.definePins())
	workflow.Add(w, s.defineLock())
	workflow.Add(w, s.defineCheck())
	commit := workflow.Add(w, s.defineCommit())
	pushed := workflow.Add(w, s.definePush(commit))
	image := workflow.Add(w, d.defineImage(p, pushed))
	for _, name := range p.Environments {
		stage := d.stage(name)
		if stage.After() != "" {
			workflow.Add(w, d.defineApproval(stage, image))
		}
		workflow.Add(w, d.defineStage(stage, image))
	}
	return w
}

// stage returns the environment with this name. If the configuration no longer has it, each of its steps fails.
func (d *Delivery) stage(name string) Stage {
	for _, s := range d.Stages {
		if s.Name() == name {
			return s
		}
	}
	return missing(name)
}

// missing is a planned environment that the configuration no longer has.
type missing string

func (m missing) Name() string { return string(m) }

func (missing) After() string { return "" }

func (m missing) Runs(context.Context, survey.Image) (all, some bool, err error) {
	return false, false, m.error()
}

func (m missing) Deploy(context.Context, survey.Image) error { return m.error() }

func (m missing) Back(context.Context) error { return m.error() }

func (m missing) error() error {
	return operr.NewStopped("restore this table, or run `mage deliver -undo` to undo the delivery", "the manifest no longer has the table [tool.deploy.%s] of this delivery", string(m))
}
