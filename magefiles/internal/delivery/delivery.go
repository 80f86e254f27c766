// Package delivery takes a downstream from the version of the packages that it is to have to the hosts that serve it, as one durable run: its
// pins are moved, locked, checked, committed and pushed, its image is made, and one deployment environment after the other gets that image.
//
// [Delivery.Define] is the list of the steps, and the place to start reading. What each of them does is done by others (packages bump,
// toolchain, imagejob, deploy), and comes in as a function: this package decides about the order, what is done already, and what is taken back.
//
//	delivery.go  what a delivery works with, its steps, and a run of them
//	plan.go      what a person agrees to
//	source.go    pins, lock, check, commit, push: what happens in the clone
//	image.go     the image, made here or by a CI
//	ci.go        what a CI does, and the wait for it
//	stages.go    the environments, with the question before the next one
//	back.go      the way back
package delivery

import (
	"context"
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

// The steps of a delivery; each environment has its own after them, see [deployStep] and [approveStep].
const (
	stepPins   = begun.StepPins
	stepLock   = "lock"
	stepCheck  = "check"
	stepCommit = begun.StepCommit
	stepPush   = begun.StepPush
	stepImage  = begun.StepImage
)

// Stage is one deployment environment.
type Stage interface {
	Name() string
	// After is the name of the environment that has to run an image before this one gets it; "" for none.
	After() string
	// Runs reports whether all hosts run the image, healthy, and whether some have it, in whatever state. That a host cannot be asked is an error.
	Runs(ctx context.Context, image survey.Image) (all, some bool, err error)
	// Deploy brings all hosts to the image, or none.
	Deploy(ctx context.Context, image survey.Image) error
	// Back brings all hosts back to the release before the one that they have.
	Back(ctx context.Context) error
}

// Means are what a delivery works with, outside of itself.
type Means struct {
	App    string // the downstream
	Repo   *gitrepo.Repo
	Store  *bump.Store // of the workspace's files
	State  string      // folder for the journals; nothing in it is ever committed
	Tool   string      // version of this program
	Remote string      // name of the remote
	Locked string      // the downstream's lock file, relative to the work tree's top; "" where it has none

	Pins  func(ctx context.Context) (*bump.Plan, error) // how the downstream's pins are to move; an empty plan where they are there
	Lock  func(ctx context.Context) error               // brings the lock file up to date
	Check func(ctx context.Context) error               // runs the downstream's own check; nil where it has none
	Find  func(ctx context.Context, commit string) (image survey.Image, there bool, err error)
	Build func(ctx context.Context, commit string) error // makes the image of the commit that is checked out, and pushes it
	CI    CI                                             // nil where the image is made here

	To      string  // the version that is asked for; "" is the newest one, or what an unfinished delivery has
	Until   string  // the last environment that is asked for; "" is the last of all, or what an unfinished delivery has
	Stages  []Stage // all, each after the one that it names (Order)
	Confirm func(ctx context.Context, p *Plan) error
	Approve func(ctx context.Context, question string) error // before an environment that is after another one

	Reporter workflow.Reporter
	Say      func(format string, args ...any)
	Tell     func(pause.Progress)
}

// Delivery is one downstream's way to its hosts.
type Delivery struct{ Means }

// Run delivers, or goes on with the delivery that is unfinished. A nil plan is for one that has nothing to do.
func (d *Delivery) Run(ctx context.Context) (*Plan, error) {
	past, err := d.operation().Run(ctx)
	if past == nil || err != nil {
		return nil, err
	}
	return past.Plan, nil
}

// Undo takes the delivery back that is unfinished.
func (d *Delivery) Undo(ctx context.Context) (*Plan, error) {
	past, err := d.operation().Undo(ctx)
	if err != nil {
		return nil, err
	}
	return past.Plan, nil
}

// Unfinished is the plan of the delivery that is unfinished. That there is none is an error.
func (d *Delivery) Unfinished() (*Plan, error) {
	past, err := d.operation().Last()
	switch {
	case err != nil:
		return nil, err
	case past == nil || past.End != "":
		return nil, operr.New("`mage deliver -status` says what there is", "no delivery is unfinished: there is nothing to undo")
	}
	return past.Plan, nil
}

// askedFor is how long one question of Look may take: several hosts are asked at a time, and one that is silent is given up before.
const askedFor = time.Minute

// Look says where the last delivery stands, step by step, and changes nothing; nil where there is none.
func (d *Delivery) Look(ctx context.Context) (*session.Past[*Plan], []workflow.Standing, error) {
	return d.operation().Look(ctx, askedFor)
}

// Holder is the process that is at work on a delivery of this clone now, and since when; "" for none.
func (d *Delivery) Holder() (string, error) { return d.operation().Holder() }

// Kind is the kind of sessions that deliveries are, with the journals of one clone.
func Kind(state, tool string) session.Kind[*Plan] {
	return session.Kind[*Plan]{
		Name: begun.Name,
		Dir:  begun.Dir(state),
		Tool: tool,
		Done: "delivered",
		Type: session.Commands{
			Run:    "mage deliver",
			Status: "mage deliver -status",
			Undo:   "mage deliver -undo",
		},
	}
}

func (d *Delivery) operation() *session.Operation[*Plan] {
	return &session.Operation[*Plan]{
		Kind:      Kind(d.State, d.Tool),
		Make:      d.plan,
		Continue:  d.accept,
		Confirm:   d.Confirm,
		Define:    d.Define,
		Revert:    d.revert,
		Reporter:  d.Reporter,
		Transient: gitremote.Transient,
	}
}

// accept refuses to go on with a delivery of another application, version or environment than is asked for. Where nothing is, any goes on: the
// newest version may be another one by now. One that moves no pin has the versions of what is checked out.
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
	return operr.NewStopped("`mage deliver` without -to and -until goes on with it, `mage deliver -undo` takes it back",
		"the delivery %s is unfinished, and another one is asked for", past.Plan.Label())
}

// Define lists the steps of a plan.
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

// stage is the environment of a name. One that the configuration has no more is an error of each of its steps.
func (d *Delivery) stage(name string) Stage {
	for _, s := range d.Stages {
		if s.Name() == name {
			return s
		}
	}
	return missing(name)
}

// missing is an environment that a plan has and the configuration has not.
type missing string

func (m missing) Name() string { return string(m) }

func (missing) After() string { return "" }

func (m missing) Runs(context.Context, survey.Image) (all, some bool, err error) {
	return false, false, m.error()
}

func (m missing) Deploy(context.Context, survey.Image) error { return m.error() }

func (m missing) Back(context.Context) error { return m.error() }

func (m missing) error() error {
	return operr.NewStopped("put the table back, or take the delivery back by `mage deliver -undo`", "there is no [tool.deploy.%s] any more", string(m))
}
