package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
)

// operation is a deployment as a session: it may be killed anywhere, and goes on, or is taken back.
func (d *Deployer) operation(asked survey.Asked) *session.Operation[*survey.Plan] {
	run := "mage deploy:to " + d.Environment.Name
	if asked.Back {
		run = "mage deploy:rollback -env=" + d.Environment.Name
	}
	return &session.Operation[*survey.Plan]{
		Kind: session.Kind[*survey.Plan]{
			Name: "deployment",
			Dir:  filepath.Join(d.State, d.Key()),
			Tool: d.Tool,
			Done: "deployed",
			Type: session.Commands{Run: run, Status: "mage deploy:status", Undo: run},
		},
		Make: func(ctx context.Context) (*survey.Plan, error) {
			p, err := d.Plan(ctx, asked)
			if err == nil {
				err = p.Refuse()
			}
			if err != nil || p.Nothing() {
				return nil, err
			}
			return p, nil
		},
		Confirm:  d.Confirm,
		Define:   d.define,
		Revert:   d.revert,
		Reporter: d.Reporter,
	}
}

// Deploy brings all hosts to what is asked for, or none: where one fails, all that have changed go back. It goes on with a deployment that was
// killed. nil is returned where there is nothing to do, or nothing any more.
func (d *Deployer) Deploy(ctx context.Context, asked survey.Asked) (*survey.Plan, error) {
	d.leave = asked.Without
	o := d.operation(asked)
	if over, err := d.unfinished(ctx, o, asked); over || err != nil {
		return nil, err
	}
	past, err := o.Run(ctx)
	if err == nil {
		if past == nil {
			return nil, nil
		}
		return past.Plan, nil
	}
	now, unread := o.Last()
	if unread != nil || now == nil || now.End != "" || ctx.Err() != nil {
		return nil, err
	}
	if errors.Is(err, errTakenOver) {
		return nil, err
	}
	if lost := (*hoststate.Lost)(nil); errors.As(err, &lost) {
		return nil, operr.NewStopped("see `mage deploy:status`, and deploy again", "%w", err)
	}
	return nil, d.back(ctx, o, now, err)
}

// back takes a deployment back that failed.
func (d *Deployer) back(ctx context.Context, o *session.Operation[*survey.Plan], now *session.Past[*survey.Plan], failed error) error {
	var why *Failure
	if errors.As(failed, &why) && why.Logs != "" {
		d.Say("the last lines of the new container on %s:\n%s", why.Host, why.Logs)
	}
	if !now.Began(stepNote) {
		if _, err := o.Undo(ctx); err != nil {
			return errors.Join(failed, err)
		}
		return failed
	}
	if now.Did(stepRemember) && !errors.Is(failed, errOvertaken) {
		return operr.New(operr.NextOf(failed), "%s is deployed on every host, and not all of what was there before is put away: %w", now.Plan.Label(), failed)
	}
	d.Say("it failed (%v): every host goes back to what it had", failed)
	if _, err := o.Undo(ctx); err != nil {
		next := operr.NextOf(errors.Unwrap(err)) // of a host, without what a session adds
		if next == "" {
			next = "put it right"
		}
		return operr.New(next+"; then deploy again: that begins with these hosts", "the deployment failed (%v), and not every host could go back: %w", failed, err)
	}
	if len(d.others) > 0 {
		return operr.NewStopped("see `mage deploy:status`, and deploy again", "%s was not deployed, and somebody else has deployed to %s since: %w",
			now.Plan.Label(), strings.Join(d.others, ", "), failed)
	}
	next := operr.NextOf(errors.Unwrap(failed)) // what a session adds of going on does not hold any more: all is as it was
	if next == "" {
		next = "put it right, and deploy again"
	}
	return operr.New(next, "%s was not deployed, and every host runs what it ran before: %w", now.Plan.Label(), failed)
}

// unfinished says what an earlier run has left, and takes it back where something else is asked for. It is over with that where requests
// went to the new release already and each host is to go back: one step further is a release that nobody meant.
func (d *Deployer) unfinished(ctx context.Context, o *session.Operation[*survey.Plan], asked survey.Asked) (over bool, err error) {
	past, err := o.Last()
	if past == nil || past.End != "" || err != nil {
		return false, err
	}
	d.Say("the deployment %s is unfinished since %s", past.Plan.Label(), past.Plan.Run)
	if past.Plan.Environment.Port != d.Environment.Port || past.Plan.Environment.Socket != d.Environment.Socket {
		return false, operr.NewStopped(fmt.Sprintf("set port = %d and socket = %q until it is taken back", past.Plan.Environment.Port, past.Plan.Environment.Socket),
			"the deployment %s is unfinished, and [tool.deploy.%s] leads to another proxy or engine by now", past.Plan.Label(), d.Environment.Name)
	}
	same := past.Plan.Back == asked.Back && (asked.Back || past.Plan.Image.Digest == asked.Image.Digest) && d.agreed(past.Plan) &&
		!slices.ContainsFunc(past.Plan.Changing(), func(h survey.HostPlan) bool { return slices.Contains(asked.Without, h.Host) })
	if same && !past.Undoing {
		return false, nil
	}
	if past.Did(stepRemember) && !past.Undoing { // what is not kept may be gone: from here on there is no way but on
		d.Say("every host runs it: what is left of it is done first")
		if _, err := o.Run(ctx); !errors.Is(err, errOvertaken) {
			return false, err
		}
	}
	d.Say("it is taken back first")
	if _, err := o.Undo(ctx); err != nil {
		return false, err
	}
	return asked.Back && !past.Plan.Back && d.hasSwitched(past) && len(d.others) == 0, nil
}

// agreed reports whether an environment is what a person said yes to: what goes on is not asked about again.
func (d *Deployer) agreed(p *survey.Plan) bool {
	values, err := d.Values()
	spec := survey.SpecOf(d.Environment, values)
	was, _ := json.Marshal(p.Environment) // both are text and numbers
	now, _ := json.Marshal(d.Environment)
	return err == nil && bytes.Equal(was, now) &&
		!slices.ContainsFunc(p.Changing(), func(h survey.HostPlan) bool { return !p.Back && h.Will.Spec != spec })
}

// Unlock takes the environment from whoever has it on the hosts that answer, and says whom it was taken from.
func (d *Deployer) Unlock(ctx context.Context) error {
	return d.each(ctx, d.everywhere(), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		from, err := m.State.Unlock(ctx, d.Key())
		switch {
		case err != nil:
			return err
		case from == nil:
			d.Say("%s: nobody has the lock", h.Host)
			return nil
		}
		d.Say("%s: the lock was taken from %s", h.Host, from)
		err = m.State.Audit(ctx, d.Key(), hoststate.Entry{At: d.Now().UTC(), Who: d.Who.Who, From: d.Who.From, What: "unlock", Result: "taken from " + from.String()})
		if errors.Is(err, hoststate.ErrNotWritten) { // the lock is away all the same
			d.Say("%s: %v; %s", h.Host, err, operr.NextOf(err))
			return nil
		}
		return err
	})
}
