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

// revert returns every host of a deployment to its previous release. It can be called again if it was killed. If some hosts fail, the others are
// still reverted, and the error names the ones that failed.
func (d *Deployer) revert(ctx context.Context, past *session.Past[*survey.Plan]) error {
	p := past.Plan
	a := &applying{Deployer: d, p: p, hosts: d.changedHosts(p), fences: map[string]int64{}, removed: past.Began(stepPrune), facts: &workflow.Value[map[string]Facts]{}}
	if !past.Began(stepLock) {
		return nil
	}
	defer func(now config.Environment) { d.Environment = now }(d.Environment)
	d.Environment = p.Environment
	for _, h := range p.Changing() {
		if slices.Contains(d.leave, h.Host) {
			d.Say("%s is not changed, because the state of release %s on this host is unknown", h.Host, h.Will.ID)
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

// goBack returns one host to its previous release.
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
			return errors.Join(operr.NewStopped("look at `mage deploy:status`", "someone else has deployed %s in the meantime, but requests still go to %s", idOf(seen.Kept.Current), h.Will.ID), a.free(ctx, h, m))
		}
		a.Say("%s is not changed, because someone else has deployed %s in the meantime", h.Host, idOf(seen.Kept.Current))
		a.markPassedBy(h.Host)
		return a.free(ctx, h, m)
	}
	if a.removed {
		if before := h.Before.Current; before != nil && seen.Of(before.ID) == nil {
			a.Say("%s keeps %s, because the container of its previous release was removed", h.Host, h.Will.ID)
			return a.free(ctx, h, m)
		}
		h.Before = dropRemoved(h.Before, &seen)
	}
	if err := a.switchBack(ctx, h, m, &seen); err != nil {
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

// `dropRemoved` returns a host's record without the releases that have been removed.
func dropRemoved(k survey.Kept, seen *survey.Host) survey.Kept {
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

// markPassedBy records that someone else has deployed to a host, so this deployment has nothing left to undo there.
func (d *Deployer) markPassedBy(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.others = append(d.others, host)
}

// switchBack directs requests back to the old container, after that container has passed the same health check as a new one. For a first release
// there is no old container.
func (a *applying) switchBack(ctx context.Context, h survey.HostPlan, m *survey.Machine, seen *survey.Host) error {
	old := h.Before.Current
	if old == nil {
		if !h.Will.At(seen.Up) {
			return nil
		}
		a.Say("%s: there is no earlier release to go back to; the new release is removed", h.Host)
		return m.State.Switch(ctx, a.Key(), a.fence(h), hoststate.None)
	}
	c := seen.Of(old.ID)
	if c != nil && c.State == engine.Running && seen.Up == old.Upstream() {
		return nil // requests never left the old container
	}
	if c == nil {
		return operr.New("run `mage deploy:to NAME -digest=…` with the digest of the image of this release", "the host cannot go back to %s: the container of this release does not exist any more", old.Describe())
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if now := seen.Of(h.Will.ID); a.Environment.StopFirst && now != nil && now.State == engine.Running { // both must not write at once
		if err := a.stopOne(ctx, h, m, *now); err != nil {
			return err
		}
	}
	begin := func() error { return m.Engine.Start(ctx, c.ID) }
	var err error
	if a.Environment.Memory && len(a.Environment.Secrets) > 0 && c.State != engine.Running { // in-memory secrets are lost when the container exits
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
	if err := a.checkHealthy(ctx, h, m, *old); err != nil {
		return fmt.Errorf("the host cannot go back to %s: %w", old.Describe(), err)
	}
	return a.turn(ctx, h, m, *old)
}

// takeAway removes the new container with its secrets and image. If the deployment is a rollback, it only stops the container, which existed
// before.
func (a *applying) takeAway(ctx context.Context, h survey.HostPlan, m *survey.Machine, seen *survey.Host) error {
	if err := m.State.SetPrev(ctx, a.Key(), a.fence(h), hoststate.None); err != nil {
		return err
	}
	c := seen.Of(h.Will.ID)
	if before := h.Before.Current; before != nil && before.ID == h.Will.ID { // the host's release did not change
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
		if err := ignoreMissing(m.Engine.Remove(ctx, c.ID)); err != nil {
			return err
		}
	}
	if err := ignoreMissing(m.Front.RemoveVolume(ctx, h.Will.ID)); err != nil {
		return err
	}
	return a.removeImage(ctx, m, h.Will.Image, h.Before.All())
}
