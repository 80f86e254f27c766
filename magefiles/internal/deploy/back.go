package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// revert brings every host of a deployment back to what it had. It may be killed, and is called again. Hosts that cannot go back are named by
// its error, and the others go back all the same.
func (d *Deployer) revert(ctx context.Context, past *session.Past[*survey.Plan]) error {
	p := past.Plan
	a := &applying{Deployer: d, p: p, hosts: d.touched(p), fences: map[string]int64{}, removed: past.Began(stepPrune), facts: &workflow.Value[map[string]Facts]{}}
	if !past.Began(stepLock) {
		return nil
	}
	defer func(now config.Environment) { d.Environment = now }(d.Environment)
	d.Environment = p.Environment
	for _, h := range p.Changing() {
		if slices.Contains(d.leave, h.Host) {
			d.Say("%s is left as it is: whether it runs %s is not known", h.Host, h.Will.ID)
		}
	}
	return a.holding(ctx, func(ctx context.Context) error {
		return a.each(ctx, a.hosts, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
			if !past.Began(stepNote) {
				if has, err := a.has(ctx, h, m); err != nil || !has {
					return err
				}
				return a.free(ctx, h, m)
			}
			return a.tellsOf(StepBack, a.goBack)(ctx, h, m)
		})
	})
}

// goBack brings one host back.
func (a *applying) goBack(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if err := a.takeOne(ctx, h, m); err != nil {
		return err
	}
	seen := a.LookAt(ctx, h.Host, 0)
	if seen.Err != nil {
		return seen.Err
	}
	if !a.ours(seen.Kept, h) {
		if h.Will.At(seen.Up) {
			return errors.Join(operr.NewStopped("look at `mage deploy:status`", "somebody else has deployed %s since, and requests go to %s all the same", idOf(seen.Kept.Current), h.Will.ID), a.free(ctx, h, m))
		}
		a.Say("%s is left as it is: somebody else has deployed %s since", h.Host, idOf(seen.Kept.Current))
		a.passedBy(h.Host)
		return a.free(ctx, h, m)
	}
	if a.removed {
		if before := h.Before.Current; before != nil && seen.Of(before.ID) == nil {
			a.Say("%s keeps %s: what ran before it is removed by now", h.Host, h.Will.ID)
			return a.free(ctx, h, m)
		}
		h.Before = there(h.Before, &seen)
	}
	if err := a.toBefore(ctx, h, m, &seen); err != nil {
		return errors.Join(err, a.audit(ctx, h, m, "failed, and it could not be taken back: "+err.Error()))
	}
	if err := a.takeAway(ctx, h, m, &seen); err != nil {
		return err
	}
	if err := m.State.SetNext(ctx, a.Key(), a.fence(h), hoststate.None); err != nil {
		return err
	}
	if err := a.keep(ctx, h, m, h.Before); err != nil {
		return err
	}
	if err := a.audit(ctx, h, m, "taken back"); err != nil {
		return err
	}
	return a.free(ctx, h, m)
}

// there is what a host remembers, without the releases that were removed.
func there(k survey.Kept, seen *survey.Host) survey.Kept {
	past := slices.Clone(k.Older)
	if k.Previous != nil {
		past = slices.Insert(past, 0, *k.Previous)
	}
	past = slices.DeleteFunc(past, func(v survey.Version) bool { return seen.Of(v.ID) == nil })
	k.Previous, k.Older = nil, nil
	if len(past) > 0 {
		k.Previous, k.Older = &past[0], past[1:]
	}
	return k
}

// passedBy keeps that somebody else has deployed to a host: this deployment has nothing there any more that it could take back.
func (d *Deployer) passedBy(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.others = append(d.others, host)
}

// toBefore lets requests go where they went before: to a container that was asked whether it is well, as a new one is. The very first release has
// none.
func (a *applying) toBefore(ctx context.Context, h survey.HostPlan, m *survey.Machine, seen *survey.Host) error {
	old := h.Before.Current
	if old == nil {
		if !h.Will.At(seen.Up) {
			return nil
		}
		a.Say("%s: there was nothing before it to go back to; it is removed", h.Host)
		return m.State.Switch(ctx, a.Key(), a.fence(h), hoststate.None)
	}
	c := seen.Of(old.ID)
	if c != nil && c.State == engine.Running && seen.Up == old.Upstream() {
		return nil // it was never left
	}
	if c == nil {
		return operr.New("deploy it by its digest: `mage deploy:to NAME -digest=…`", "it cannot go back to %s, whose container is gone", old.Describe())
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if now := seen.Of(h.Will.ID); a.Environment.StopFirst && now != nil && now.State == engine.Running { // two do not write at a time
		if err := a.stopOne(ctx, h, m, *now); err != nil {
			return err
		}
	}
	begin := func() error { return m.Engine.Start(ctx, c.ID) }
	var err error
	if a.Environment.Memory && len(a.Environment.Secrets) > 0 && c.State != engine.Running { // they went with its end
		err = a.withSecrets(ctx, h, m, *old, begin)
	} else {
		err = begin()
	}
	if err != nil {
		return err
	}
	if err := m.State.SetNext(ctx, a.Key(), a.fence(h), old.Upstream()); err != nil {
		return err
	}
	if err := a.wellBeside(ctx, h, m, *old); err != nil {
		return fmt.Errorf("it cannot go back to %s: %w", old.Describe(), err)
	}
	return a.turn(ctx, h, m, *old)
}

// takeAway removes what was to run, with its secrets and its image; what was there before this deployment is stopped again.
func (a *applying) takeAway(ctx context.Context, h survey.HostPlan, m *survey.Machine, seen *survey.Host) error {
	if err := m.State.SetPrev(ctx, a.Key(), a.fence(h), hoststate.None); err != nil {
		return err
	}
	c := seen.Of(h.Will.ID)
	if before := h.Before.Current; before != nil && before.ID == h.Will.ID { // it had not been left
		return nil
	}
	if a.p.Back {
		if c == nil || c.State != engine.Running && c.State != engine.Restarting {
			return nil
		}
		return a.stopOne(ctx, h, m, *c)
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if c != nil {
		if err := gone(m.Engine.Remove(ctx, c.ID)); err != nil {
			return err
		}
	}
	if err := gone(m.Front.RemoveVolume(ctx, h.Will.ID)); err != nil {
		return err
	}
	return a.removeImage(ctx, m, h.Will.Image, h.Before.All())
}
