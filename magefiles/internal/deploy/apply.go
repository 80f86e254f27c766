package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// The steps of a deployment.
const (
	stepPreflight = "preflight"
	stepLock      = "lock"
	stepPull      = "pull"
	stepNote      = "note"
	stepStart     = "start"
	stepGate      = "gate"
	StepSwitch    = "switch" // after this step, requests go to the new release
	stepWatch     = "watch and drain"
	stepPause     = "pause"
	stepRemember  = "remember"
	stepStop      = "stop"
	stepPrune     = "prune"
	stepUnlock    = "unlock"

	StepBack = "back" // not part of a plan: a host returns to its previous release
)

// applying is a plan that is being carried out.
type applying struct {
	*Deployer
	p     *survey.Plan
	hosts []survey.HostPlan // hosts that change, in locking order

	mu     sync.Mutex
	fences map[string]int64
	facts  *workflow.Value[map[string]Facts]

	removed bool // earlier releases may have been removed already; set during an undo
}

// Facts describes the new image, according to a host's engine.
type Facts struct {
	Port     int           `json:"port"`
	Interval time.Duration `json:"interval,omitempty"` // interval of the image's HEALTHCHECK
}

// Said is the result of a step that only produces a message.
type Said struct {
	Says string `json:"says"`
}

func (s Said) say() string { return s.Says }

func (d *Deployer) define(p *survey.Plan) *workflow.Definition {
	a := &applying{Deployer: d, p: p, hosts: d.changedHosts(p), fences: map[string]int64{}}
	if d.Begins != nil {
		d.Begins(p)
	}
	w := workflow.New()
	workflow.Add(w, workflow.Step[Said]{Name: stepPreflight, Check: a.preflight, Say: Said.say})
	workflow.Add(w, workflow.Step[map[string]int64]{Name: stepLock, Check: a.checkLocked, Do: a.lock, Say: func(f map[string]int64) string { return operr.Count(len(f), "host") }})
	a.facts = workflow.Add(w, workflow.Step[map[string]Facts]{
		Name:  stepPull,
		Check: a.checkPulled,
		Do:    a.pull,
		Say:   func(f map[string]Facts) string { return "on " + operr.Count(len(f), "host") },
	})
	moving := survey.Moving(a.hosts)
	a.add(w, moving, action{step: stepNote, name: stepNote, check: a.checkNoted, do: a.note})
	groups := a.groups()
	for n, group := range groups {
		name := func(step string) string { return ofGroup(step, n, len(groups)) }
		a.add(w, group, action{step: stepStart, name: name(stepStart), check: a.checkStarted, do: a.start})
		a.add(w, group, action{step: stepGate, name: name(stepGate), check: a.checkPassed, do: a.gate})
		a.add(w, group, action{step: StepSwitch, name: name(StepSwitch), check: a.checkSwitched, do: a.switchTo, one: true})
		a.add(w, group, action{step: stepWatch, name: name(stepWatch), check: a.checkWatched, do: a.watch})
		if n+1 < len(groups) && a.Environment.Pause > 0 {
			a.addPause(w, name(stepPause), n+1)
		}
	}
	a.add(w, moving, action{step: stepRemember, name: stepRemember, check: a.checkRemembered, do: a.remember})
	a.add(w, a.hosts, action{step: stepStop, name: stepStop, check: a.checkStopped, do: a.stop})
	a.add(w, a.hosts, action{step: stepPrune, name: stepPrune, check: a.checkPruned, do: a.prune})
	a.add(w, a.hosts, action{step: stepUnlock, name: stepUnlock, check: a.checkUnlocked, do: a.unlock})
	return w
}

// action is the work of a step: functions that are called for each host.
type action struct {
	step  string // one of the steps above
	name  string // name of the step for one group
	check func(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (done bool, err error)
	do    func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error
	one   bool // hosts are changed one at a time
}

// add adds a step that runs the action on the given hosts.
func (a *applying) add(w *workflow.Definition, hosts []survey.HostPlan, do action) {
	said := Said{Says: "on " + operr.Count(len(hosts), "host")}
	workflow.Add(w, workflow.Step[Said]{
		Name: do.name,
		Say:  Said.say,
		Check: func(ctx context.Context, recorded *Said) (Said, bool, error) {
			done, err := a.allOf(ctx, hosts, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
				return do.check(ctx, h, m, recorded != nil)
			})
			return said, done, err
		},
		Do: func(ctx context.Context) (Said, error) {
			some := [][]survey.HostPlan{hosts}
			if do.one {
				some = slices.Collect(slices.Chunk(hosts, 1))
			}
			return said, a.holding(ctx, func(ctx context.Context) error {
				for _, hosts := range some {
					if err := a.each(ctx, hosts, a.tellsOf(do.step, do.do)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	})
}

func (a *applying) said() Said { return Said{Says: "on " + operr.Count(len(a.hosts), "host")} }

// `all` checks whether a step is done on all hosts.
func (a *applying) all(ctx context.Context, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error)) (Said, bool, error) {
	done, err := a.allOf(ctx, a.hosts, f)
	return a.said(), done, err
}

// allOf checks whether a step is done on the given hosts.
func (a *applying) allOf(ctx context.Context, hosts []survey.HostPlan, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error)) (bool, error) {
	var mu sync.Mutex
	done := true
	err := a.each(ctx, hosts, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		is, err := f(ctx, h, m)
		mu.Lock()
		defer mu.Unlock()
		done = done && is
		return err
	})
	return done && err == nil, err
}

// preflight queries the hosts again, because the plan may be hours old. It also runs the commands that print secrets, once per run, so that a
// failing command is detected before anything is pulled. A resumed run executes these commands only if it still has to start a container.
func (a *applying) preflight(ctx context.Context, recorded *Said) (Said, bool, error) {
	if err := a.checkPromotion(ctx); err != nil {
		// The other environment may run something else by now. If every host has recorded the release, the remaining steps run anyway.
		there, unread := a.allOf(ctx, survey.Moving(a.hosts), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
			return a.checkRemembered(ctx, h, m, true)
		})
		if !there || unread != nil {
			return Said{}, false, err
		}
	}
	if recorded == nil && a.needsSecrets() {
		if _, err := a.secretValues(ctx); err != nil {
			return Said{}, false, err
		}
	}
	return a.all(ctx, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
		if _, err := m.Engine.Ping(ctx); err != nil {
			return false, err
		}
		if missing, err := m.Front.Missing(ctx, a.Key(), a.Service()); err != nil || len(missing) > 0 {
			return false, errors.Join(err, a.NotSetUp(missing))
		}
		err := a.checkUnchanged(ctx, h, m)
		return err == nil, err
	})
}

// checkPromotion returns an error unless the environment named in `after` runs the image now.
func (a *applying) checkPromotion(ctx context.Context) error {
	if a.Before == nil || a.p.Back || a.p.Force != "" {
		return nil
	}
	before, err := a.Before(ctx)
	if err == nil && before.Digest != a.p.Image.Digest {
		err = operr.NewStopped("deploy again: the new plan takes the image that runs now", "%s now runs %s, but the plan deploys %s to %s",
			a.Environment.After, survey.Version{Image: before.Ref()}.Describe(), survey.Version{Image: a.p.Image.Ref()}.Describe(), a.Environment.Name)
	}
	if err != nil {
		return err
	}
	return a.CheckOwn(ctx, a.p.Image)
}

// CheckOwn returns an error if an image from another environment is not one of ours.
func (d *Deployer) CheckOwn(ctx context.Context, image survey.Image) error {
	if d.Verify == nil {
		return nil
	}
	if err := d.Verify(ctx, image); err != nil {
		return operr.New(operr.NextOf(err)+"; or pass -force=REASON to deploy the image anyway", "%s was not taken over from %s: %w", survey.Version{Image: image.Ref()}.Describe(), d.Environment.After, err)
	}
	return nil
}

// changedHosts returns the hosts that a plan changes, except those that must no longer be changed.
func (d *Deployer) changedHosts(p *survey.Plan) []survey.HostPlan {
	return slices.DeleteFunc(p.Changing(), func(h survey.HostPlan) bool { return slices.Contains(d.leave, h.Host) })
}

// errOvertaken is in the chain of the error for a host to which someone else has deployed.
var errOvertaken = errors.New("someone else has deployed since the plan was made")

// checkUnchanged returns an error if someone else has deployed to a host since the plan was made.
func (a *applying) checkUnchanged(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	seen, err := a.Kept(ctx, m)
	if err == nil && !a.ours(seen, h) {
		err = operr.NewStopped("look at `mage deploy:status`, and deploy again", "%w: the current release is now %s", errOvertaken, idOf(seen.Current))
	}
	return err
}

// `ours` reports whether a host's state is the one in the plan, or a result of this deployment.
func (a *applying) ours(k survey.Kept, h survey.HostPlan) bool {
	return idOf(k.Current) == idOf(h.Before.Current) || idOf(k.Current) == h.Will.ID
}

func idOf(v *survey.Version) string {
	if v == nil {
		return "none"
	}
	return v.ID
}

func (a *applying) keep(ctx context.Context, h survey.HostPlan, m *survey.Machine, k survey.Kept) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return m.State.Set(ctx, a.Key(), a.fence(h), survey.KeptAs, string(text))
}

// checkLocked reports whether this deployment holds the locks on all hosts, and returns their fencing tokens.
func (a *applying) checkLocked(ctx context.Context, _ *map[string]int64) (map[string]int64, bool, error) {
	_, all, err := a.all(ctx, a.has)
	return a.numbers(), all, err
}

// `has` reports whether this deployment holds a host's lock.
func (a *applying) has(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || seen.Lock.Holder == nil || seen.Lock.Holder.Run != a.p.Run || seen.Lock.Holder.Who != a.Who.Who || seen.Lock.Left <= 0 {
		return false, err
	}
	a.setFence(h.Host, seen.Lock.Fence)
	return true, m.State.Renew(ctx, a.Key(), seen.Lock.Fence, a.Times.Lease)
}

func (a *applying) setFence(host string, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fences[host] = n
}

func (a *applying) fence(h survey.HostPlan) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fences[h.Host]
}

func (a *applying) numbers() map[string]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string]int64{}
	for host, n := range a.fences {
		all[host] = n
	}
	return all
}

// lock acquires the locks on all hosts, always in the same order. If a host is already locked, it acquires none.
func (a *applying) lock(ctx context.Context) (map[string]int64, error) {
	err := a.waitForLock(ctx, a.take)
	return a.numbers(), err
}

// waitForLock acquires a lock that may be held by someone else. It waits as long as the user has requested.
func (d *Deployer) waitForLock(ctx context.Context, take func(ctx context.Context) error) error {
	var err error
	w := pause.Wait{What: "the lock of " + d.Environment.Name, First: time.Second, For: max(d.Wait, time.Millisecond), Tell: d.Tell}
	_, over := w.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		err = take(ctx)
		var held *hoststate.Held
		if d.Wait > 0 && errors.As(err, &held) {
			return pause.Seen{Says: held.Error()}, nil
		}
		return pause.Seen{Done: true}, nil
	})
	if over != nil && !errors.Is(over, pause.ErrOver) {
		return over
	}
	return err
}

func (a *applying) take(ctx context.Context) error {
	for n, h := range a.hosts {
		err := a.onHost(ctx, h, a.takeOne)
		last := n
		if err == nil { // the previous holder may have deployed
			err = a.onHost(ctx, h, a.checkUnchanged)
			last = n + 1
		}
		if err == nil {
			continue
		}
		for _, taken := range a.hosts[:last] {
			_ = a.onHost(context.WithoutCancel(ctx), taken, a.free) // on an unreachable host, the lock expires with its lease
		}
		return err
	}
	return nil
}

func (a *applying) takeOne(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if has, err := a.has(ctx, h, m); has || err != nil {
		return err
	}
	who := a.Who
	who.Run, who.Since = a.p.Run, a.Now().UTC()
	taken, err := m.State.Take(ctx, a.Key(), who, a.Times.Lease)
	if err != nil {
		return err
	}
	a.setFence(h.Host, taken.Fence)
	if taken.From != nil {
		a.Say("%s: the lock of %s was never released, and its lease has ended", h.Host, taken.From)
	}
	return nil
}

func (a *applying) free(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	fence := a.fence(h)
	a.setFence(h.Host, 0) // holding stops renewing its lease
	return m.State.Release(ctx, a.Key(), fence)
}

// holding renews the leases while `f` runs, and cancels `f` if a lease is lost. A lease on an unreachable host is not considered lost, because it
// expires by the host's own clock.
func (a *applying) holding(ctx context.Context, f func(ctx context.Context) error) error {
	inside, end := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		first := true
		w := pause.Wait{What: "the end of the step", First: a.Times.Lease / 3, Times: 1}
		_, _ = w.Until(inside, func(ctx context.Context) (pause.Seen, error) {
			if first {
				first = false
				return pause.Seen{}, nil
			}
			err := a.each(ctx, a.hosts, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
				if a.fence(h) == 0 { // not acquired yet, or already released
					return nil
				}
				if err := a.renew(ctx, h, m); a.fence(h) != 0 {
					return err
				}
				return nil
			})
			if lost := (*hoststate.Lost)(nil); errors.As(err, &lost) {
				end(err)
			}
			return pause.Seen{}, nil
		})
	})
	err := f(inside)
	lost := context.Cause(inside)
	end(nil)
	wait.Wait()
	if err != nil && lost != nil && ctx.Err() == nil {
		return lost
	}
	return err
}

// renew renews the lease. It must be called before each change through the engine's API, because the engine does not check locks.
func (a *applying) renew(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return m.State.Renew(ctx, a.Key(), a.fence(h), a.Times.Lease)
}

func (a *applying) checkSwitched(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || seen.Up != a.will(h).Upstream() {
		return false, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	return c != nil && c.Restart == engine.UnlessStopped, err
}

// switchTo directs requests to the new container, and makes the engine restart that container after a reboot.
func (a *applying) switchTo(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return a.turn(ctx, h, m, a.will(h))
}

func (a *applying) turn(ctx context.Context, h survey.HostPlan, m *survey.Machine, to survey.Version) error {
	c, err := a.find(ctx, m, to.ID)
	switch {
	case err != nil:
		return err
	case c == nil:
		return operr.New("deploy again", "the container of release %s does not exist any more", to.ID)
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if err := m.Engine.SetRestart(ctx, c.ID, engine.UnlessStopped); err != nil {
		return err
	}
	return m.State.Switch(ctx, a.Key(), a.fence(h), to.Upstream())
}

func (a *applying) checkRemembered(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	k, err := a.Kept(ctx, m)
	return idOf(k.Current) == h.Will.ID && k.Candidate == nil, err
}

// remember records a release that has passed its watch as the current one.
func (a *applying) remember(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	v := a.will(h)
	return a.keep(ctx, h, m, a.after(h, v))
}

// `after` returns a host's record once a version has passed. After a rollback, the abandoned release is removed from the record, and the release
// before the restored one becomes the previous release.
func (a *applying) after(h survey.HostPlan, v survey.Version) survey.Kept {
	var past []survey.Version
	if before := h.Before.Current; before != nil && !a.p.Back {
		past = append(past, *before)
	}
	if before := h.Before.Previous; before != nil {
		past = append(past, *before)
	}
	past = append(past, h.Before.Older...)
	past = slices.DeleteFunc(past, func(one survey.Version) bool { return one.ID == v.ID })
	past = past[:min(len(past), a.Environment.Keep-1)]
	k := survey.Kept{Current: &v, Absent: a.p.Without}
	if len(past) > 0 {
		k.Previous, k.Older = &past[0], past[1:]
	}
	return k
}

func (a *applying) checkUnlocked(ctx context.Context, _ survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	return err == nil && (recorded || seen.Lock.Holder == nil) && (seen.Lock.Holder == nil || seen.Lock.Holder.Run != a.p.Run), err
}

func (a *applying) unlock(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if err := a.audit(ctx, h, m, "done"); err != nil {
		return err
	}
	return a.free(ctx, h, m)
}

// audit appends a line to the host's audit log, with the user, the action and the result.
func (a *applying) audit(ctx context.Context, h survey.HostPlan, m *survey.Machine, result string) error {
	what := "deploy " + h.Will.Image
	switch {
	case h.Tidy:
		what = "put away what was left beside " + h.Will.Image
	case a.p.Back:
		what = "go back to " + h.Will.Image
	}
	if a.p.Force != "" {
		what += " whatever runs on " + a.Environment.After + " (" + a.p.Force + ")"
	}
	if len(a.p.Without) > 0 {
		what += fmt.Sprintf(" without %s (%s)", strings.Join(a.p.Without, ", "), strings.Join(a.p.Why, "; "))
	}
	return m.State.Audit(ctx, a.Key(), hoststate.Entry{
		At:     a.Now().UTC(),
		Who:    a.Who.Who,
		From:   a.Who.From,
		Run:    a.p.Run,
		What:   what,
		Result: result,
	})
}
