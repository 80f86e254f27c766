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

// operation returns the deployment's session, which can be killed at any point, and then resumed or undone.
func (d *Deployer) operation(asked survey.Asked) *session.Operation[*survey.Plan] {
	run := "mage deploy:to " + d.Environment.Name
	if asked.Back {
		run = "mage deploy:rollback -env=" + d.Environment.Name
	}
	if d.Only != "" {
		run += " -only=" + operr.Word(d.Only)
	}
	if asked.Image.Digest != "" { // without it, the image of HEAD would be deployed, and this deployment would be undone
		run += " -digest=" + asked.Image.Digest
	}
	if len(asked.Without) > 0 {
		run += " -without=" + operr.Word(strings.Join(asked.Without, ","))
	}
	if asked.Force != "" {
		run += " -force=" + operr.Word(asked.Force)
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
		Confirm:  d.confirm,
		Define:   d.define,
		Revert:   d.revert,
		Reporter: d.Reporter,
	}
}

// confirm asks for confirmation. If the user declines or cannot be asked, the error says what was done before, and keeps its hint about -yes.
func (d *Deployer) confirm(ctx context.Context, p *survey.Plan) error {
	if d.Confirm == nil {
		return nil
	}
	err := d.Confirm(ctx, p)
	if d.before == "" {
		return err
	}
	next := "" // the error's next step
	if errors.Is(err, operr.ErrDeclined) {
		next = "run `mage deploy:status` to see what runs"
	}
	return operr.NotAgreed(err, p.Label()+" was not deployed", d.before, next)
}

// Deploy deploys the requested release to all hosts or to none: if a host fails, all changed hosts are reverted. It resumes a killed deployment. It
// returns nil if all hosts already have the release.
func (d *Deployer) Deploy(ctx context.Context, asked survey.Asked) (*survey.Plan, error) {
	d.leave, d.before = asked.Without, ""
	o := d.operation(asked)
	if over, err := d.settleUnfinished(ctx, o, asked); over || err != nil {
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
	return nil, d.takeBack(ctx, o, now, err)
}

// `takeBack` undoes a failed deployment.
func (d *Deployer) takeBack(ctx context.Context, o *session.Operation[*survey.Plan], now *session.Past[*survey.Plan], failed error) error {
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
		return operr.New(operr.NextOf(failed), "%s is deployed on every host, but not all remains of earlier releases were removed: %w", now.Plan.Label(), failed)
	}
	d.Say("the deployment failed (%v), so every host goes back to its previous release", failed)
	if _, err := o.Undo(ctx); err != nil {
		next := operr.NextOf(errors.Unwrap(err)) // a host's next step, without the session's addition
		if next == "" {
			next = "correct the error on each host"
		}
		return operr.New(next+"; then deploy again: the next deployment first returns these hosts to the previous release", "the deployment failed (%v), and not every host could go back: %w", failed, err)
	}
	if len(d.others) > 0 {
		return operr.NewStopped("see `mage deploy:status`, and deploy again", "%s was not deployed, and someone else has deployed to %s since then; the failure was: %w",
			now.Plan.Label(), strings.Join(d.others, ", "), failed)
	}
	next := operr.NextOf(errors.Unwrap(failed)) // drops the session's hint about resuming, because everything was reverted
	if next == "" {
		next = "correct the error, and deploy again"
	}
	return operr.New(next, "%s was not deployed, and every host runs what it ran before: %w", now.Plan.Label(), failed)
}

// settleUnfinished reports an unfinished deployment, and undoes it if the user requests a different release now. It returns `over` if the request
// was a rollback and requests already went to the new release: then undoing that run was the rollback, and another step back would go further than
// the user intended.
func (d *Deployer) settleUnfinished(ctx context.Context, o *session.Operation[*survey.Plan], asked survey.Asked) (over bool, err error) {
	past, err := o.Last()
	if past == nil || past.End != "" || err != nil {
		return false, err
	}
	d.Say("the deployment %s of %s has not ended", past.Plan.Label(), past.Plan.Run)
	if past.Plan.Environment.Port != d.Environment.Port || past.Plan.Environment.Socket != d.Environment.Socket {
		return false, operr.NewStopped(fmt.Sprintf("set port = %d and socket = %q in the environment's table until the unfinished deployment is undone", past.Plan.Environment.Port, past.Plan.Environment.Socket),
			"the deployment %s has not ended, but the port or socket in [tool.deploy.%s] was changed after it began", past.Plan.Label(), d.Environment.Name)
	}
	same := past.Plan.Back == asked.Back && (asked.Back || past.Plan.Image.Digest == asked.Image.Digest) && d.agreed(past.Plan) &&
		!slices.ContainsFunc(past.Plan.Changing(), func(h survey.HostPlan) bool { return slices.Contains(asked.Without, h.Host) })
	if same && !past.Undoing {
		return false, nil
	}
	if past.Did(stepRemember) && !past.Undoing { // old releases may have been pruned, so it can only be completed
		d.Say("every host runs this release; the remaining steps of the deployment are done first")
		if _, err := o.Run(ctx); !errors.Is(err, errOvertaken) {
			d.before = "the deployment " + past.Plan.Label() + " was ended"
			return false, err
		}
	}
	d.Say("this deployment is undone first")
	if _, err := o.Undo(ctx); err != nil {
		return false, err
	}
	d.before = "the deployment " + past.Plan.Label() + " was undone"
	return asked.Back && !past.Plan.Back && d.hasSwitched(past) && len(d.others) == 0, nil
}

// agreed reports whether the environment is unchanged since the user confirmed the plan. A resumed deployment is not confirmed again.
func (d *Deployer) agreed(p *survey.Plan) bool {
	values, err := d.Values()
	spec := survey.SpecOf(d.Environment, values)
	was, _ := json.Marshal(p.Environment) // cannot fail: both contain only strings and numbers
	now, _ := json.Marshal(d.Environment)
	return err == nil && bytes.Equal(was, now) &&
		!slices.ContainsFunc(p.Changing(), func(h survey.HostPlan) bool { return !p.Back && h.Will.Spec != spec })
}

// Unlock removes the lock on all reachable hosts, and prints who held it.
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
		if errors.Is(err, hoststate.ErrNotWritten) { // the lock was removed, but the audit log could not be written
			d.Say("%s: %v; %s", h.Host, err, operr.NextOf(err))
			return nil
		}
		return err
	})
}
