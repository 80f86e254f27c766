package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// groups are the hosts that change, those together that get the release at the same time.
func (a *applying) groups() (groups [][]survey.HostPlan) {
	moving := survey.Moving(a.hosts)
	for _, names := range a.p.Groups {
		var group []survey.HostPlan
		for _, h := range moving {
			if slices.Contains(names, h.Host) {
				group = append(group, h)
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	if len(groups) == 0 {
		groups = [][]survey.HostPlan{moving}
	}
	return groups
}

// ofGroup is the name of a step that each group has.
func ofGroup(step string, n, groups int) string {
	if groups == 1 {
		return step
	}
	return fmt.Sprintf("%s %d of %d", step, n+1, groups)
}

// hasSwitched reports whether requests may go to the new release on some host.
func (d *Deployer) hasSwitched(past *session.Past[*survey.Plan]) bool {
	groups := (&applying{Deployer: d, p: past.Plan, hosts: past.Plan.Changing()}).groups()
	for n := range groups {
		if past.Began(ofGroup(StepSwitch, n, len(groups))) {
			return true
		}
	}
	return false
}

// addPause adds the wait between two groups. The locks are let go meanwhile: what is left on the hosts is a record, by which whoever comes,
// from any machine, continues the deployment or takes it back. The groups that have the release are watched, and locks are taken once more.
func (a *applying) addPause(w *workflow.Definition, name string, passed int) {
	workflow.Add(w, workflow.Step[Said]{
		Name: name,
		Check: func(_ context.Context, recorded *Said) (Said, bool, error) {
			if recorded == nil {
				return Said{}, false, nil
			}
			return *recorded, true, nil
		},
		Do: func(ctx context.Context) (Said, error) {
			until, err := a.pause(ctx, passed)
			return Said{Says: "until " + until.Format(time.RFC3339)}, err
		},
		Say:   Said.say,
		Waits: true,
	})
}

// pause waits, and returns until when.
func (a *applying) pause(ctx context.Context, passed int) (until time.Time, err error) {
	groups := a.groups()
	until, err = a.pausedUntil(ctx, passed)
	if err != nil {
		return until, err
	}
	err = a.holding(ctx, func(ctx context.Context) error {
		return a.each(ctx, survey.Moving(a.hosts), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
			return a.notePause(ctx, h, m, &survey.Paused{
				Run:    a.p.Run,
				Who:    a.Who.String(),
				Groups: a.p.Groups,
				Passed: passed,
				Until:  until,
			})
		})
	})
	if err == nil {
		err = a.each(ctx, a.hosts, a.free)
	}
	if err != nil {
		return until, err
	}
	long := until.Sub(a.Now())
	if long > 0 {
		a.Say("%s have it; the next ones get it at %s. Ctrl-C leaves it so: whoever deploys the same continues, `mage deploy:rollback -env=%s` takes it back",
			strings.Join(namesOf(slices.Concat(groups[:passed]...)), ", "), until.Local().Format(time.TimeOnly), a.Environment.Name)
	}
	failed := a.each(ctx, slices.Concat(groups[:passed]...), func(ctx context.Context, h survey.HostPlan, _ *survey.Machine) error {
		return a.staysWell(ctx, h, max(long, time.Millisecond)) // one look at least, where the time was over before this run
	})
	if ctx.Err() != nil {
		return until, failed
	}
	_, err = a.lock(ctx) // also for the way back
	if held := (*hoststate.Held)(nil); errors.As(err, &held) {
		return until, errors.Join(errTakenOver, err)
	}
	if err != nil {
		return until, err
	}
	return until, failed
}

// errTakenOver is for a deployment that somebody else continues, or takes back, while it is paused: what is on the hosts is theirs.
var errTakenOver = operr.NewStopped("see `mage deploy:status`", "somebody else has taken the deployment over while it was paused")

func namesOf(hosts []survey.HostPlan) (names []string) {
	for _, h := range hosts {
		names = append(names, h.Host)
	}
	return names
}

// pausedUntil is the end of a pause: that of the one that was begun, by whoever did, or of a new one.
func (a *applying) pausedUntil(ctx context.Context, passed int) (until time.Time, err error) {
	until = a.Now().Add(a.Environment.Pause).UTC().Truncate(time.Second)
	_, err = a.allOf(ctx, survey.Moving(a.hosts)[:1], func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
		k, err := a.Kept(ctx, m)
		if p := k.Paused; p != nil && idOf(k.Candidate) == h.Will.ID && p.Passed == passed {
			until = p.Until
		}
		return true, err
	})
	return until, err
}

// notePause keeps on a host that the deployment is paused. Hosts that have not got the release yet get its name too: it is a candidate there.
func (a *applying) notePause(ctx context.Context, h survey.HostPlan, m *survey.Machine, p *survey.Paused) error {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return err
	}
	v := a.will(h)
	k.Candidate, k.Paused = &v, p
	return a.keep(ctx, h, m, k)
}
