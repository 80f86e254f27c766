package deploy

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/delivery"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/foopack/foopack/magefiles/targets"
)

// Deliver brings a version to the hosts. It moves a downstream's pins, locks, checks, commits, pushes, builds the image, and deploys to one
// environment after another. For example: `mage deliver -to=0.2.0`, `mage deliver -until=staging`. Exit statuses: mage help deliver.
func Deliver(ctx context.Context,
	to *string, // this version, which may be an older one; default: the newest on the channel
	until *string, // the last environment to deliver to; default: all
	status *bool, // show the progress of the last delivery, and change nothing
	undo *bool, // undo the unfinished delivery
	wait *time.Duration, // how long to wait for a lock that someone else has
	only *string, // one downstream, by its name or folder; default: the only one that is deployed
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return targets.Extend(ctx, func(ctx context.Context, x *targets.Extension) error {
		d, end, err := deliverer(ctx, x, orZero(to), orZero(until), Flags{Wait: wait, Only: only, JSON: json, Yes: yes})
		if err != nil {
			return err
		}
		defer end()
		switch {
		case orZero(status):
			return showDelivery(ctx, x, d, Flags{Only: only, JSON: json})
		case orZero(undo):
			return undoDelivery(ctx, x, d, Flags{Only: only, JSON: json, Yes: yes})
		}
		return targets.Answer(x, orZero(json), func() (reportedDelivery, error) {
			p, err := d.Run(ctx)
			return reportedDelivery{Delivered: p != nil, Plan: p}, err
		}, func(r reportedDelivery) {
			defer x.Next(ctx, Flags{Only: only}.step("mage deploy:status"))
			if r.Plan == nil {
				x.View.Heading("%s is delivered already: what is checked out runs in %s", d.App, strings.Join(namesOf(d.Stages), ", "))
				return
			}
			x.View.Heading("%s is delivered: it runs in %s", r.Plan.Label(), strings.Join(r.Plan.Environments, ", "))
		})
	})
}

// reportedDelivery is the JSON form of Deliver's result.
type reportedDelivery struct {
	Delivered bool           `json:"delivered"` // false if there was nothing to do
	Undone    bool           `json:"undone,omitempty"`
	Plan      *delivery.Plan `json:"plan,omitempty"`
}

// deliverer returns the delivery of a downstream to its environments. end closes connections.
func deliverer(ctx context.Context, x *targets.Extension, to, until string, f Flags) (d *delivery.Delivery, end func(), err error) {
	if err := bump.CheckUpgrade(to); err != nil {
		return nil, nil, err
	}
	of, all, err := chosen(x, orZero(f.Only))
	if err != nil {
		return nil, nil, err
	}
	bumper, err := x.Bumper(ctx)
	if err != nil {
		return nil, nil, err
	}
	if bumper.Repo == nil {
		return nil, nil, operr.New("run `git init` and commit the workspace", "%s is not in a git repository: a delivery needs a commit", x.Workspace.Root)
	}
	shared, err := x.State(ctx)
	if err != nil {
		return nil, nil, err
	}
	head, err := bumper.Repo.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	state, err := begun.StateOf(filepath.Join(bumper.Repo.Dir, folders.State), shared, head.Branch)
	if err != nil {
		return nil, nil, err
	}
	locked, err := x.Workspace.LockOf(of, bumper.Repo.Top)
	if err != nil {
		return nil, nil, err
	}
	hub, err := x.Hub(ctx)
	if err != nil {
		return nil, nil, err
	}
	ci := delivery.Runs{Client: hub.Client}
	if of.Image != nil {
		ci.Workflow = of.Image.Workflow
	}
	stages, end, err := stagesOf(ctx, x, of, all, f, ci)
	if err != nil {
		return nil, nil, err
	}
	if stages, err = delivery.Order(stages); err != nil {
		end()
		return nil, nil, err
	}
	m := delivery.Means{
		App:    of.Name(),
		Repo:   bumper.Repo,
		Store:  bumper.Store,
		State:  state,
		Shared: shared,
		Tool:   x.Version(),
		Remote: x.Workspace.Config.Remote,
		Locked: locked,
		Pins:   func(ctx context.Context) (*bump.Plan, error) { return x.Pins(ctx, of.Name(), to) },
		Lock:   func(ctx context.Context) error { return x.Lock(ctx, of) },
		Find: func(ctx context.Context, commit string) (survey.Image, bool, error) {
			p, there, err := x.PushedOf(ctx, of, commit)
			return survey.Image{Repository: p.Repository, Digest: p.Digest, Revision: p.Revision, Platforms: p.Platforms}, there, err
		},
		Build:  func(ctx context.Context, _ string) error { return x.MakeImage(ctx, of.Name()) },
		To:     to,
		Until:  until,
		Stages: stages,
		Confirm: func(ctx context.Context, p *delivery.Plan) error {
			if err := checkWorkflow(bumper.Repo.Top, ci.Workflow, p, stages); err != nil {
				return err
			}
			return agree(ctx, x, p, orZero(f.Yes))
		},
		Approve: func(ctx context.Context, question string) error { return x.Confirm(ctx, orZero(f.Yes), question) },

		Reporter: x.View,
		Say:      x.View.Say,
		Tell:     x.View.Waiting,
	}
	if toolchain.FindTask(of.Manifest, "check") != "" {
		m.Check = func(ctx context.Context) error { return x.Check(ctx, of.Name()) }
	}
	if of.Image != nil && of.Image.Publish == settings.PublishCI {
		m.CI = ci
	}
	return &delivery.Delivery{Means: m}, end, nil
}

// checkWorkflow refuses to wait for a workflow that no file of the repository has: it would never run.
func checkWorkflow(top, name string, p *delivery.Plan, stages []delivery.Stage) error {
	waits := p.CI || slices.ContainsFunc(stages, func(s delivery.Stage) bool {
		_, deploys := s.(byCI)
		return deploys && slices.Contains(p.Environments, s.Name())
	})
	if !waits || name == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(top, ".github", "workflows", name)); err != nil {
		return operr.New("add this workflow (see foopack's magefiles/docs/deployments.md), or name another workflow; to publish and deploy from this machine, set `publish = \"here\"` and `by = \"here\"`",
			"the delivery would wait for the workflow %s, but .github/workflows/%s does not exist; nothing was changed", name, name)
	}
	return nil
}

// agree shows what would be delivered, and asks.
func agree(ctx context.Context, x *targets.Extension, p *delivery.Plan, yes bool) error {
	x.View.Heading("deliver %s to %s", p.Label(), strings.Join(p.Environments, ", then "))
	for _, m := range p.Pins.Packages {
		x.View.Line("  %s: %s → %s", m.Name, m.Old, m.New)
	}
	if p.Pins.Empty() {
		x.View.Line("  no pin changes: commit %s of %s is delivered", short(p.Base), p.Branch)
	} else {
		x.View.Line("  a commit on %s, which is pushed to %s", p.Branch, p.Remote)
	}
	if p.CI {
		x.View.Line("  the CI builds the image, and the delivery waits for the image")
	}
	return x.Confirm(ctx, yes, "Deliver "+p.Label()+"?")
}

func short(commit string) string { return commit[:min(12, len(commit))] }

func undoDelivery(ctx context.Context, x *targets.Extension, d *delivery.Delivery, f Flags) error {
	p, err := d.FindUnfinished()
	if err == nil {
		err = x.Confirm(ctx, orZero(f.Yes), "Undo "+p.Label()+"?")
	}
	if err != nil {
		return err
	}
	return targets.Answer(x, orZero(f.JSON), func() (reportedDelivery, error) {
		p, err := d.Undo(ctx)
		return reportedDelivery{Undone: err == nil, Plan: p}, err
	}, func(r reportedDelivery) {
		x.View.Heading("%s was undone", r.Plan.Label())
		x.Next(ctx, Flags{Only: f.Only}.step("mage deploy:status"))
	})
}

// reportedStanding is the JSON form of the result of Deliver with -status.
type reportedStanding struct {
	Plan  *delivery.Plan      `json:"plan,omitempty"` // nil: there was no delivery in this clone
	End   string              `json:"end,omitempty"`  // "" if the delivery is unfinished
	Steps []workflow.Standing `json:"steps"`

	Running string `json:"running,omitempty"` // the process that is at work on a delivery now, and since when; "" for none
}

func showDelivery(ctx context.Context, x *targets.Extension, d *delivery.Delivery, f Flags) error {
	return targets.Answer(x, orZero(f.JSON), func() (r reportedStanding, err error) {
		r.Steps = []workflow.Standing{}
		if r.Running, err = d.Holder(); err != nil {
			return r, err
		}
		past, standing, err := d.Look(ctx)
		if past == nil || err != nil {
			return r, err
		}
		r.Plan, r.End, r.Steps = past.Plan, string(past.End), standing
		return r, nil
	}, func(r reportedStanding) {
		defer x.Next(ctx, afterLook(r, f))
		if r.Running != "" && (r.Plan == nil || r.End != "") {
			x.View.Heading("a delivery is under way (%s)", r.Running)
		}
		if r.Plan == nil {
			x.View.Line("no delivery was begun in this clone")
			return
		}
		end := r.End
		switch {
		case end == "" && r.Running != "":
			end = "under way (" + r.Running + ")"
		case end == "":
			end = "unfinished"
		}
		x.View.Heading("%s: %s", r.Plan.Label(), end)
		x.View.Standings(r.Steps, r.End == "" && r.Running != "")
	})
}

// stage is one environment of a delivery.
type stage struct {
	d *deploying.Deployer
	x *targets.Extension
}

// stagesOf returns the environments of a downstream as stages.
func stagesOf(ctx context.Context, x *targets.Extension, of *workspace.Downstream, all []config.Environment, f Flags, ci delivery.CI) (stages []delivery.Stage, end func(), err error) {
	var ends []func()
	end = func() {
		for _, f := range ends {
			f()
		}
	}
	byName := map[string]*deploying.Deployer{}
	for _, e := range all {
		d, close, err := deployer(ctx, x, of, e, f)
		if err != nil {
			end()
			return nil, nil, err
		}
		ends = append(ends, close)
		byName[e.Name] = d
		one := stage{d: d, x: x}
		if _, _, run := x.Operator(); isByCI(e, run) {
			stages = append(stages, byCI{stage: one, ci: ci, tell: x.View.Waiting})
			continue
		}
		stages = append(stages, one)
	}
	for _, d := range byName {
		if after := d.Environment.After; after != "" {
			d.Before = byName[after].FindServed
		}
	}
	return stages, end, nil
}

func namesOf(stages []delivery.Stage) (names []string) {
	for _, s := range stages {
		names = append(names, s.Name())
	}
	return names
}

func (s stage) Name() string { return s.d.Environment.Name }

func (s stage) After() string { return s.d.Environment.After }

// Runs asks all hosts whether they run an image.
func (s stage) Runs(ctx context.Context, image survey.Image) (all, some bool, err error) {
	return s.d.Runs(ctx, image)
}

func (s stage) Deploy(ctx context.Context, image survey.Image) error {
	defer watchProgress(s.x, s.d)()
	_, err := s.d.Deploy(ctx, survey.Asked{Image: image})
	return err
}

func (s stage) Back(ctx context.Context) error {
	defer watchProgress(s.x, s.d)()
	_, err := s.d.Deploy(ctx, survey.Asked{Back: true})
	return err
}
