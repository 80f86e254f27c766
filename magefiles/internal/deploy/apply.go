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
	StepSwitch    = "switch" // requests go to the release from its end on
	stepWatch     = "watch and drain"
	stepPause     = "pause"
	stepRemember  = "remember"
	stepStop      = "stop"
	stepPrune     = "prune"
	stepUnlock    = "unlock"

	StepBack = "back" // no step of a plan: a host goes back to what it had
)

// applying is one plan while it is carried out.
type applying struct {
	*Deployer
	p     *survey.Plan
	hosts []survey.HostPlan // those on which something is done, in the order of locks

	mu     sync.Mutex
	fences map[string]int64
	facts  *workflow.Value[map[string]Facts]

	removed bool // on the way back: some of what was there before may be removed
}

// Facts are what a host's engine knows of the image that is to run.
type Facts struct {
	Port     int           `json:"port"`
	Interval time.Duration `json:"interval,omitempty"` // of its HEALTHCHECK
}

// Said is the result of a step of which later ones need nothing.
type Said struct {
	Says string `json:"says"`
}

func (s Said) say() string { return s.Says }

func (d *Deployer) define(p *survey.Plan) *workflow.Definition {
	a := &applying{Deployer: d, p: p, hosts: d.touched(p), fences: map[string]int64{}}
	if d.Begins != nil {
		d.Begins(p)
	}
	w := workflow.New()
	workflow.Add(w, workflow.Step[Said]{Name: stepPreflight, Check: a.preflight, Say: Said.say})
	workflow.Add(w, workflow.Step[map[string]int64]{Name: stepLock, Check: a.locked, Do: a.lock, Say: func(f map[string]int64) string { return operr.Count(len(f), "host") }})
	a.facts = workflow.Add(w, workflow.Step[map[string]Facts]{
		Name:  stepPull,
		Check: a.pulled,
		Do:    a.pull,
		Say:   func(f map[string]Facts) string { return "on " + operr.Count(len(f), "host") },
	})
	moving := survey.Moving(a.hosts)
	a.add(w, moving, action{step: stepNote, name: stepNote, check: a.noted, do: a.note})
	groups := a.groups()
	for n, group := range groups {
		name := func(step string) string { return ofGroup(step, n, len(groups)) }
		a.add(w, group, action{step: stepStart, name: name(stepStart), check: a.started, do: a.start})
		a.add(w, group, action{step: stepGate, name: name(stepGate), check: a.passed, do: a.gate})
		a.add(w, group, action{step: StepSwitch, name: name(StepSwitch), check: a.switched, do: a.switchTo, one: true})
		a.add(w, group, action{step: stepWatch, name: name(stepWatch), check: a.watched, do: a.watch})
		if n+1 < len(groups) && a.Environment.Pause > 0 {
			a.addPause(w, name(stepPause), n+1)
		}
	}
	a.add(w, moving, action{step: stepRemember, name: stepRemember, check: a.remembered, do: a.remember})
	a.add(w, a.hosts, action{step: stepStop, name: stepStop, check: a.stopped, do: a.stop})
	a.add(w, a.hosts, action{step: stepPrune, name: stepPrune, check: a.pruned, do: a.prune})
	a.add(w, a.hosts, action{step: stepUnlock, name: stepUnlock, check: a.unlocked, do: a.unlock})
	return w
}

// action is what a step does on each of some hosts.
type action struct {
	step  string // of the list above
	name  string // of the step of one group
	check func(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (done bool, err error)
	do    func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error
	one   bool // host by host
}

// add adds the step that does it.
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

// all asks all hosts whether a step is done there.
func (a *applying) all(ctx context.Context, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error)) (Said, bool, error) {
	done, err := a.allOf(ctx, a.hosts, f)
	return a.said(), done, err
}

// allOf asks some hosts.
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

// preflight asks again what the plan was made of: that may be hours ago. The commands of secrets run here, once in a run, so that one that fails
// does so before anything was pulled; a run that goes on behind preflight runs them where a container is still to be started.
func (a *applying) preflight(ctx context.Context, recorded *Said) (Said, bool, error) {
	if err := a.promoted(ctx); err != nil {
		// What every host remembers is there: the other environment may run something else by now, and what is left is done all the same.
		there, unread := a.allOf(ctx, survey.Moving(a.hosts), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
			return a.remembered(ctx, h, m, true)
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
		err := a.unchanged(ctx, h, m)
		return err == nil, err
	})
}

// promoted refuses an image that the environment before this one does not run, or runs no more.
func (a *applying) promoted(ctx context.Context) error {
	if a.Before == nil || a.p.Back || a.p.Force != "" {
		return nil
	}
	before, err := a.Before(ctx)
	if err == nil && before.Digest != a.p.Image.Digest {
		err = operr.NewStopped("deploy again, for what runs there now", "%s runs %s, and %s was to be deployed to %s",
			a.Environment.After, survey.Version{Image: before.Ref()}.Describe(), survey.Version{Image: a.p.Image.Ref()}.Describe(), a.Environment.Name)
	}
	if err != nil {
		return err
	}
	return a.Verified(ctx, a.p.Image)
}

// Verified refuses an image that is taken over from another environment, and is not one of ours.
func (d *Deployer) Verified(ctx context.Context, image survey.Image) error {
	if d.Verify == nil {
		return nil
	}
	if err := d.Verify(ctx, image); err != nil {
		return operr.New(operr.NextOf(err)+"; or say why it is deployed all the same by -force=REASON", "%s is not taken over from %s: %w", survey.Version{Image: image.Ref()}.Describe(), d.Environment.After, err)
	}
	return nil
}

// touched are the hosts of a plan that are changed, but for those that are left as they are by now.
func (d *Deployer) touched(p *survey.Plan) []survey.HostPlan {
	return slices.DeleteFunc(p.Changing(), func(h survey.HostPlan) bool { return slices.Contains(d.leave, h.Host) })
}

// errOvertaken is in the error of a host to which somebody else has deployed.
var errOvertaken = errors.New("somebody else has deployed since the plan was made")

// unchanged refuses a host to which somebody else has deployed since the plan was made.
func (a *applying) unchanged(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	seen, err := a.Kept(ctx, m)
	if err == nil && !a.ours(seen, h) {
		err = operr.NewStopped("look at `mage deploy:status`, and deploy again", "%w: %s is there now", errOvertaken, idOf(seen.Current))
	}
	return err
}

// ours reports whether a host is as the plan found it, or as this deployment has left it.
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

// locked finds out which hosts this deployment has, and by which numbers.
func (a *applying) locked(ctx context.Context, _ *map[string]int64) (map[string]int64, bool, error) {
	_, all, err := a.all(ctx, a.has)
	return a.numbers(), all, err
}

// has reports whether a host's lock is this deployment's.
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

// lock takes all hosts in one order, or none.
func (a *applying) lock(ctx context.Context) (map[string]int64, error) {
	err := a.patiently(ctx, a.take)
	return a.numbers(), err
}

// patiently takes a lock that somebody else may have, for as long as a person wants to wait for it.
func (d *Deployer) patiently(ctx context.Context, take func(ctx context.Context) error) error {
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
		err := a.on(ctx, h, a.takeOne)
		last := n
		if err == nil { // whoever had it meanwhile may have deployed
			err = a.on(ctx, h, a.unchanged)
			last = n + 1
		}
		if err == nil {
			continue
		}
		for _, taken := range a.hosts[:last] {
			_ = a.on(context.WithoutCancel(ctx), taken, a.free) // who cannot be told has a lease
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
		a.Say("%s: the lock of %s was left behind, and its lease is over", h.Host, taken.From)
	}
	return nil
}

func (a *applying) free(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	fence := a.fence(h)
	a.setFence(h.Host, 0) // nobody renews it from now on
	return m.State.Release(ctx, a.Key(), fence)
}

// holding renews the leases while f runs, and ends f where one is lost. That a host cannot be told says nothing: it has a clock of its own.
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
				if a.fence(h) == 0 { // it is not taken yet, or was given back
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

// renew is asked before each change by the engine's API, which knows nothing of locks.
func (a *applying) renew(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return m.State.Renew(ctx, a.Key(), a.fence(h), a.Times.Lease)
}

func (a *applying) switched(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || seen.Up != a.will(h).Upstream() {
		return false, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	return c != nil && c.Restart == engine.UnlessStopped, err
}

// switchTo lets requests go to the new container, which starts again after a reboot from then on.
func (a *applying) switchTo(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return a.turn(ctx, h, m, a.will(h))
}

func (a *applying) turn(ctx context.Context, h survey.HostPlan, m *survey.Machine, to survey.Version) error {
	c, err := a.find(ctx, m, to.ID)
	switch {
	case err != nil:
		return err
	case c == nil:
		return operr.New("deploy again", "the container of %s is gone", to.ID)
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if err := m.Engine.SetRestart(ctx, c.ID, engine.UnlessStopped); err != nil {
		return err
	}
	return m.State.Switch(ctx, a.Key(), a.fence(h), to.Upstream())
}

func (a *applying) remembered(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	k, err := a.Kept(ctx, m)
	return idOf(k.Current) == h.Will.ID && k.Candidate == nil, err
}

// remember keeps what has passed its watch as the current release.
func (a *applying) remember(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	v := a.will(h)
	return a.keep(ctx, h, m, a.after(h, v))
}

// after is what a host remembers once a version has passed: after a way back that what was left is gone, and what was there before it is next.
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

func (a *applying) unlocked(ctx context.Context, _ survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	return err == nil && (recorded || seen.Lock.Holder == nil) && (seen.Lock.Holder == nil || seen.Lock.Holder.Run != a.p.Run), err
}

func (a *applying) unlock(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if err := a.audit(ctx, h, m, "done"); err != nil {
		return err
	}
	return a.free(ctx, h, m)
}

// audit keeps who did what on the host.
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
