package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// Leaving returns what Remove would do on each host, except excluded hosts and hosts with nothing to do.
func (d *Deployer) Leaving(ctx context.Context, without []string) ([]Todo, error) {
	hosts, err := d.HostsWithout(without)
	if err != nil {
		return nil, err
	}
	all := make([]Todo, len(hosts))
	err = d.each(ctx, plansOf(hosts), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		found, err := d.listContainers(ctx, m)
		if err != nil {
			return err
		}
		one := Todo{Host: h.Host}
		for _, c := range found {
			one.Will = append(one.Will, fmt.Sprintf("remove the container %s, which is %s, of %s, with its secrets", c.Name, c.State, c.Image))
		}
		line, err := m.Front.Leaving(ctx, d.Key())
		if line != "" {
			one.Will = append(one.Will, line)
		}
		all[slices.Index(hosts, h.Host)] = one
		return err
	})
	return slices.DeleteFunc(all, func(one Todo) bool { return len(one.Will) == 0 }), err
}

// listContainers returns all containers of the environment on a host, for any port that the environment has had.
func (d *Deployer) listContainers(ctx context.Context, m *survey.Machine) ([]engine.Container, error) {
	return m.Engine.Containers(ctx, d.ownLabels()...)
}

// ownLabels returns the labels that every deployment to this environment sets on its containers and volumes.
func (d *Deployer) ownLabels() []string {
	return []string{survey.LabelApp + "=" + d.App, survey.LabelEnvironment + "=" + d.Environment.Name}
}

// Remove removes the environment from all hosts except the excluded ones: its containers with their secrets, and its part of the proxy
// configuration. The audit log and the application's volumes remain. Remove can be repeated at any time, and completes a run that was killed.
func (d *Deployer) Remove(ctx context.Context, without []string) error {
	todo, err := d.Leaving(ctx, without)
	if err != nil {
		return err
	}
	d.leave = without
	o := d.operation(survey.Asked{})
	if past, err := o.Last(); err != nil {
		return err
	} else if past != nil && past.End == "" { // otherwise, a later run would find this deployment unfinished
		d.Say("the deployment %s of %s has not ended, so it is undone first", past.Plan.Label(), past.Plan.Run)
		if _, err := o.Undo(ctx); err != nil {
			return err
		}
	}
	var hosts []string
	for _, one := range todo {
		hosts = append(hosts, one.Host)
	}
	return d.each(ctx, plansOf(hosts), d.removeFrom)
}

func (d *Deployer) removeFrom(ctx context.Context, _ survey.HostPlan, m *survey.Machine) error {
	if err := m.Front.Prepare(ctx); err != nil { // makes the host's state readable even if the proxy is gone
		return err
	}
	fence, err := d.takeFor(ctx, m)
	if err != nil {
		return err
	}
	err = d.removeAll(ctx, m, fence)
	result := "done"
	if err != nil {
		result = "failed: " + err.Error()
	}
	return errors.Join(err,
		m.State.Audit(context.WithoutCancel(ctx), d.Key(), hoststate.Entry{At: d.Now().UTC(), Who: d.Who.Who, From: d.Who.From, What: "remove the environment", Result: result}),
		m.State.Release(context.WithoutCancel(ctx), d.Key(), fence)) // on an unreachable host, the lock expires with its lease
}

func (d *Deployer) removeAll(ctx context.Context, m *survey.Machine, fence int64) error {
	for _, f := range []func(context.Context, string, int64, string) error{m.State.Switch, m.State.SetPrev, m.State.SetNext} { // no requests go to the environment's containers any more
		if err := f(ctx, d.Key(), fence, hoststate.None); err != nil {
			return err
		}
	}
	found, err := d.listContainers(ctx, m)
	if err != nil {
		return err
	}
	for _, c := range found {
		if err := m.State.Renew(ctx, d.Key(), fence, d.Times.Lease); err != nil {
			return err
		}
		if c.State == engine.Running || c.State == engine.Restarting {
			if err := m.Engine.SetRestart(ctx, c.ID, engine.Never); err != nil {
				return err
			}
			if err := m.Engine.Stop(ctx, c.ID, d.Environment.Grace); err != nil {
				return err
			}
		}
		if err := ignoreMissing(m.Engine.Remove(ctx, c.ID)); err != nil {
			return err
		}
		if err := ignoreMissing(m.Engine.RemoveImage(ctx, c.Image)); err != nil && !errors.Is(err, engine.Conflict) {
			return err
		}
	}
	secrets, err := m.Engine.Volumes(ctx, d.ownLabels()...) // includes volumes whose containers a killed run has removed
	for _, v := range secrets {
		err = errors.Join(err, ignoreMissing(m.Front.RemoveVolume(ctx, v.Name)))
	}
	if err != nil {
		return err
	}
	if err := m.State.Renew(ctx, d.Key(), fence, d.Times.Lease); err != nil {
		return err
	}
	if err := m.State.Set(ctx, d.Key(), fence, survey.KeptAs, "{}"); err != nil {
		return err
	}
	return m.Front.Drop(ctx, d.Key(), fence)
}
