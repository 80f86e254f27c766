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

// groups divides the changing hosts into groups that get the release at the same time.
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

// ofGroup returns a step's name for one of several groups.
func ofGroup(step string, n, groups int) string {
	if groups == 1 {
		return step
	}
	return fmt.Sprintf("%s %d of %d", step, n+1, groups)
}

// hasSwitched reports whether requests may go to the new release on any host.
func (d *Deployer) hasSwitched(past *session.Past[*survey.Plan]) bool {
	groups := (&applying{Deployer: d, p: past.Plan, hosts: past.Plan.Changing()}).groups()
	for n := range groups {
		if past.Began(ofGroup(StepSwitch, n, len(groups))) {
			return true
		}
	}
	return false
}

// addPause adds the pause between two groups. During the pause, the locks are released, and the hosts have a record that lets anyone, on any
// machine, resume or undo the deployment. The groups that have the release are watched. After the pause, the locks are acquired again.
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

// pause waits until the end of the pause, and returns that time.
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
		a.Say("%s have the release; the next hosts get the release at %s. After Ctrl-C the deployment stays paused: to continue, deploy the same image again; to undo the deployment, run `mage deploy:rollback -env=%s`",
			strings.Join(namesOf(slices.Concat(groups[:passed]...)), ", "), until.Local().Format(time.TimeOnly), a.Environment.Name)
	}
	failed := a.each(ctx, slices.Concat(groups[:passed]...), func(ctx context.Context, h survey.HostPlan, _ *survey.Machine) error {
		return a.staysWell(ctx, h, max(long, time.Millisecond)) // check at least once, even if the pause ended before this run
	})
	if ctx.Err() != nil {
		return until, failed
	}
	_, err = a.lock(ctx) // the locks are needed to undo the deployment, too
	if held := (*hoststate.Held)(nil); errors.As(err, &held) {
		return until, errors.Join(errTakenOver, err)
	}
	if err != nil {
		return until, err
	}
	return until, failed
}

// errTakenOver indicates that someone else has resumed or undone a paused deployment, so this run must not change the hosts any more.
var errTakenOver = operr.NewStopped("see `mage deploy:status`", "someone else has continued or undone this paused deployment")

func namesOf(hosts []survey.HostPlan) (names []string) {
	for _, h := range hosts {
		names = append(names, h.Host)
	}
	return names
}

// pausedUntil returns the end of the recorded pause, or of a new one.
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

// notePause records on a host that the deployment is paused. A host without the new release records the release as its candidate, too.
func (a *applying) notePause(ctx context.Context, h survey.HostPlan, m *survey.Machine, p *survey.Paused) error {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return err
	}
	v := a.will(h)
	k.Candidate, k.Paused = &v, p
	return a.keep(ctx, h, m, k)
}
