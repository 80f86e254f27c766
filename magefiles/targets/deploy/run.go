package deploy

import (
	"context"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/targets"
)

// auditLines limits the lines that status shows of each host's record.
const auditLines = 5

// chosen returns the downstream that is deployed, with its environments.
func chosen(x *targets.Extension, only string) (*workspace.Downstream, []config.Environment, error) {
	return chosenOf(x.Workspace, only)
}

func chosenOf(w *workspace.Workspace, only string) (*workspace.Downstream, []config.Environment, error) {
	if only != "" {
		d, err := w.Downstream(only)
		if err != nil {
			return nil, nil, err
		}
		all, err := config.Of(w, d)
		return d, all, err
	}
	var found *workspace.Downstream
	var environments []config.Environment
	for _, d := range w.Downstreams {
		all, err := config.Of(w, d)
		switch {
		case err != nil:
			return nil, nil, err
		case len(all) == 0:
		case found != nil:
			return nil, nil, operr.NewUsage("choose a downstream: -only="+found.Name()+" or -only="+d.Name(), "several downstreams have deployment environments")
		default:
			found, environments = d, all
		}
	}
	if found == nil {
		return nil, nil, operr.NewUsage("add a table [tool.deploy.NAME] with hosts and port to the downstream's manifest", "no downstream has a deployment environment")
	}
	return found, environments, nil
}

// pick returns the deployer of one environment. end closes its connections.
func pick(ctx context.Context, x *targets.Extension, name string, f Flags) (d *deploying.Deployer, of *workspace.Downstream, end func(), err error) {
	of, all, err := chosen(x, orZero(f.Only))
	if err != nil {
		return nil, nil, nil, err
	}
	e, err := config.Pick(all, name)
	if err != nil {
		return nil, nil, nil, err
	}
	d, endIt, err := deployer(ctx, x, of, e, f)
	if err != nil || e.After == "" {
		return d, of, endIt, err
	}
	before, err := config.Pick(all, e.After)
	if err != nil {
		endIt()
		return nil, nil, nil, err
	}
	first, endFirst, err := deployer(ctx, x, of, before, f)
	if err != nil {
		endIt()
		return nil, nil, nil, err
	}
	d.Before = first.FindServed
	return d, of, func() { endIt(); endFirst() }, nil
}

// `without` returns the hosts that are left as they are.
func (f Flags) without() []string {
	return strings.FieldsFunc(orZero(f.Without), func(r rune) bool { return r == ',' || r == ' ' })
}

// requestOf returns the request that the flags describe.
func requestOf(ctx context.Context, x *targets.Extension, d *deploying.Deployer, of *workspace.Downstream, f Flags, back bool) (survey.Asked, error) {
	a := survey.Asked{Back: back, Force: orZero(f.Force), Without: f.without()}
	if back {
		return a, nil
	}
	if orZero(f.Tag) != "" && orZero(f.Digest) != "" {
		return a, operr.NewUsage("remove one of these flags", "-tag and -digest both name an image")
	}
	if a.Force != "" && d.Before == nil {
		return a, operr.NewUsage("run the command without -force", "-force has no effect, because %s has no environment before it", d.Environment.Name)
	}
	digest := orZero(f.Digest)
	if d.Before != nil && a.Force == "" {
		before, err := d.Before(ctx)
		if err != nil {
			return a, err
		}
		if orZero(f.Tag) == "" && digest == "" {
			digest = before.Digest
		}
	}
	pushed, err := x.Pushed(ctx, of, orZero(f.Tag), digest)
	a.Image = survey.Image{Repository: pushed.Repository, Digest: pushed.Digest, Revision: pushed.Revision, Platforms: pushed.Platforms}
	if err == nil && d.Before != nil && a.Force == "" {
		err = d.CheckOwn(ctx, a.Image)
	}
	return a, err
}

func plan(ctx context.Context, x *targets.Extension, name string, f Flags) error {
	d, of, end, err := pick(ctx, x, name, f)
	if err != nil {
		return err
	}
	defer end()
	var p *survey.Plan
	err = targets.Answer(x, orZero(f.JSON), func() (*survey.Plan, error) {
		what, err := requestOf(ctx, x, d, of, f, false)
		if err != nil && !orZero(f.JSON) && operr.ExitStatus(err) != operr.Usage && ctx.Err() == nil { // the image is not known, and the hosts may be
			showStatus(x.View, reportedStatus{App: d.App, Environment: d.Environment.Name, Hosts: d.Look(ctx, 0)})
		}
		if err != nil {
			return nil, err
		}
		p, err = d.Plan(ctx, what)
		return p, err
	}, func(p *survey.Plan) {
		showPlan(x.View, p)
		if len(p.Troubles) == 0 {
			x.Next(ctx, afterPlan(p, f))
		}
	})
	if err == nil && len(p.Troubles) > 0 { // the troubles are printed above
		err = operr.New("", "%s cannot be deployed now: %s", d.Environment.Name, operr.Count(len(p.Troubles), "trouble"))
	}
	return err
}

func deployment(ctx context.Context, x *targets.Extension, name string, f Flags, back bool) error {
	d, of, end, err := pick(ctx, x, name, f)
	if err != nil {
		return err
	}
	defer end()
	d.Confirm = func(ctx context.Context, p *survey.Plan) error {
		showPlan(x.View, p)
		question := "Deploy " + p.Label() + " to " + operr.Count(len(p.Hosts), "host") + "?"
		if back {
			question = "Go back on " + operr.Count(len(p.Hosts), "host") + "?"
		}
		return x.Confirm(ctx, orZero(f.Yes), question)
	}
	return targets.Answer(x, orZero(f.JSON), func() (reportedPlan, error) {
		what, err := requestOf(ctx, x, d, of, f, back)
		if err != nil {
			return reportedPlan{}, err
		}
		defer watchProgress(x, d)()
		p, err := d.Deploy(ctx, what)
		return reportedPlan{Deployed: p != nil, Plan: p}, err
	}, func(r reportedPlan) {
		if back {
			defer x.Next(ctx, look(d.Environment.Name, f))
		} else {
			defer x.Next(ctx, afterDeployment(x.Workspace, of, d.Environment.Name, f))
		}
		if r.Plan == nil && back {
			x.View.Heading("%s runs the release from before the unfinished deployment again", d.Environment.Name)
			return
		}
		if r.Plan == nil {
			x.View.Heading("all hosts of %s run this image already", d.Environment.Name)
			return
		}
		if hosts := operr.Count(len(r.Plan.Hosts), "host"); back {
			x.View.Heading("%s went back on %s", d.Environment.Name, hosts)
		} else {
			x.View.Heading("%s runs on %s", r.Plan.Label(), hosts)
		}
	})
}

// reportedStatuses is the JSON form of status.
type reportedStatuses struct {
	Environments []reportedStatus `json:"environments"`
}

// reportedStatus is the status of one environment.
type reportedStatus struct {
	App         string        `json:"app"`
	Environment string        `json:"environment"`
	Hosts       []survey.Host `json:"hosts"`
}

func status(ctx context.Context, x *targets.Extension, name string, f Flags) error {
	of, all, err := chosen(x, orZero(f.Only))
	if err != nil {
		return err
	}
	if name != "" {
		e, err := config.Pick(all, name)
		if err != nil {
			return err
		}
		all = []config.Environment{e}
	}
	var trouble []string
	err = targets.Answer(x, orZero(f.JSON), func() (found reportedStatuses, err error) {
		var fleets []*survey.Fleet
		for _, e := range all {
			d, end, err := deployer(ctx, x, of, e, f)
			if err != nil {
				return found, err
			}
			defer end()
			fleets = append(fleets, &d.Fleet)
		}
		for n, hosts := range survey.LookAll(ctx, fleets, auditLines) {
			found.Environments = append(found.Environments, reportedStatus{App: fleets[n].App, Environment: fleets[n].Environment.Name, Hosts: hosts})
			for _, h := range hosts {
				if h.Trouble != "" {
					trouble = append(trouble, h.Name+" of "+fleets[n].Environment.Name)
				}
			}
		}
		return found, nil
	}, func(found reportedStatuses) {
		for _, s := range found.Environments {
			showStatus(x.View, s)
		}
	})
	if err == nil && len(trouble) > 0 { // each trouble is printed above, with what to do
		err = operr.New("", "%s with trouble: %s", operr.Count(len(trouble), "host"), strings.Join(trouble, ", "))
	}
	return err
}

func unlockAll(ctx context.Context, x *targets.Extension, name string, f Flags) error {
	d, _, end, err := pick(ctx, x, name, f)
	if err != nil {
		return err
	}
	defer end()
	for _, h := range d.Look(ctx, 0) {
		if h.Holder != nil {
			x.View.Text("%s: %s has held the lock since %s, and holds it for %s more", h.Name, h.Holder, h.Holder.Since.Format(time.RFC3339), columns.Took(h.Left))
		}
	}
	if err := x.Confirm(ctx, orZero(f.Yes), "Take the lock of "+d.Environment.Name+" away?"); err != nil {
		return err
	}
	return d.Unlock(ctx)
}

func logs(ctx context.Context, x *targets.Extension, name string, follow bool, f Flags) error {
	d, _, end, err := pick(ctx, x, name, f)
	if err != nil {
		return err
	}
	defer end()
	return d.Logs(ctx, follow, view.Child(x.View.Out, x.View.Color))
}

func setup(ctx context.Context, x *targets.Extension, name string, f Flags) (err error) {
	d, _, end, err := pick(ctx, x, name, f)
	if err != nil {
		return err
	}
	defer end()
	todo, err := d.Missing(ctx, f.without())
	if err != nil {
		return err
	}
	showTodo(x, todo)
	defer func() {
		if err == nil {
			x.Next(ctx, afterSetup(d.Environment.Name, f))
		}
	}()
	if len(todo) == 0 {
		x.View.Heading("all hosts of %s are set up", d.Environment.Name)
		return nil
	}
	if err := x.Confirm(ctx, orZero(f.Yes), "Do this on "+operr.Count(len(todo), "host")+"?"); err != nil {
		return err
	}
	if err := d.Setup(ctx, f.without()); err != nil {
		return err
	}
	x.View.Heading("all hosts of %s are set up", d.Environment.Name)
	return nil
}

func remove(ctx context.Context, x *targets.Extension, name, like string, f Flags) error {
	if name == "" {
		return operr.NewUsage("choose an environment: -env=NAME", "no deployment environment is named")
	}
	of, all, err := chosen(x, orZero(f.Only))
	if err != nil {
		return err
	}
	e, err := config.PickLike(all, name, like)
	if err != nil {
		return err
	}
	d, end, err := deployer(ctx, x, of, e, f)
	if err != nil {
		return err
	}
	defer end()
	todo, err := d.Leaving(ctx, f.without())
	if err != nil {
		return err
	}
	showTodo(x, todo)
	if len(todo) == 0 {
		x.View.Heading("%s has nothing left on its hosts", name)
		return nil
	}
	for _, v := range e.Volumes {
		x.View.Text("  ○ the volume %s is not removed: `docker volume rm %s` on a host removes it", v.Name, v.Name)
	}
	if err := x.Confirm(ctx, orZero(f.Yes), "Take "+name+" away from "+operr.Count(len(todo), "host")+"?"); err != nil {
		return err
	}
	if err := d.Remove(ctx, f.without()); err != nil {
		return err
	}
	x.View.Heading("%s is removed from %s", name, operr.Count(len(todo), "host"))
	return nil
}
