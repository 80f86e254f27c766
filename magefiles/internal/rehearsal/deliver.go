package rehearsal

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// deliveries is the report's name for the part that is not rehearsed if there is no delivery.
const deliveries = "the delivery to hosts"

// deliver runs the target `deliver` for the deployed downstream, which also pushes the branch. If there are no hosts, it only pushes the branch.
func (u *upgrading) deliver(ctx context.Context) error {
	hosts, why, err := u.hosts()
	if err != nil {
		return err
	}
	if why != "" {
		u.missing(deliveries, why)
		return u.runBeside(ctx, u.push)
	}
	defer hosts.Close()
	u.further, u.event.Further = append(u.further, hosts.Environ()...), append(u.event.Further, hosts.Environ()...)
	plan, err := u.readPlan(ctx, hosts.App())
	if err != nil {
		return err
	}
	d := &fleet.Delivery{
		Hosts: hosts,
		Before: fleet.Image{
			Repository: plan.Repository,
			Platforms:  plan.Platforms,
			Labels:     plan.Labels,
			Password:   u.world.token,
		},
		Revision: u.report.Commit,
		Out:      u.Out,
		Err:      u.Err,
		Step:     u.step,
		Run: func(ctx context.Context, out, said io.Writer, args ...string) error {
			err := u.Runner.Run(ctx, u.child(out, said, false, args...))
			if ended := u.endLines(); err == nil {
				err = ended
			}
			return err
		},
	}
	of, err := u.w.Downstream(hosts.App())
	if err != nil {
		return err
	}
	goes := u.until(d, of)
	if !goes {
		return u.runBeside(ctx, u.push)
	}
	if err := d.Begin(ctx); err != nil {
		return err
	}
	u.world.setApprover(func(ctx context.Context, run int64, environment string) error {
		approved, err := d.Approve(ctx, environment, func() error { return u.world.Hub.HoldRun(run, environment, "whoever approves it") })
		if approved && err == nil {
			err = u.world.Hub.ApproveRun(run)
		}
		return err
	})
	err = u.runBeside(ctx, func(ctx context.Context) error {
		return u.step("deliver", func() (string, error) {
			if err := d.Deliver(ctx); err != nil {
				return "", err
			}
			made, err := localbuilder.Read(ctx, plan.Repository+":"+image.RevisionTag(u.event.Commit))
			if err != nil {
				return "", err
			}
			return d.Seen(made.Digest)
		})
	})
	u.report.Fleet = hosts.Stays()
	u.missing("the hosts of "+hosts.App(), "hosts inside this process replace them; they are reached without ssh and watched for a second, and their containers answer only the health check")
	return err
}

// hosts starts the hosts, or returns why there are none.
func (u *upgrading) hosts() (fleet.Hosts, string, error) {
	if u.Hosts == nil {
		return nil, "this magefile does not import targets/deploy, which provides the hosts", nil
	}
	return u.Hosts(u.w, filepath.Join(u.Dir, "hosts"))
}

// readPlan returns the parts of the image's plan that are needed to stand in for the image.
func (u *upgrading) readPlan(ctx context.Context, app string) (plan struct {
	Repository string            `json:"repository"`
	Platforms  []string          `json:"platforms"`
	Labels     map[string]string `json:"labels"`
}, err error,
) {
	out, err := u.mage(ctx, "docker:plan", app, "-json")
	if err != nil {
		return plan, err
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || plan.Repository == "" {
		return plan, operr.New("", "`mage docker:plan -json` printed no JSON with a repository: %.200q", out)
	}
	return plan, nil
}

// `until` finds the last environment to which the target or the CI delivers, and reports whether there is one. It lists later environments as not
// rehearsed, because no workflow file here deploys to them.
func (u *upgrading) until(d *fleet.Delivery, of *workspace.Downstream) bool {
	if of.Image != nil && of.Image.Publish == settings.PublishCI && !u.started.Makes(of.Dir, of.Name()) {
		u.missing("the image of "+of.Name()+" by the CI", "none of the workflow files that the push starts makes this image")
	}
	var left []string
	last := ""
	for _, e := range d.Environments() {
		if len(left) > 0 || e.ByCI && !u.started.Deploys(e.Name) {
			left = append(left, e.Name)
			continue
		}
		last = e.Name
	}
	if len(left) > 0 {
		u.missing("the delivery to "+strings.Join(left, " and "), "the CI deploys to "+left[0]+" (by = \"ci\"), but none of the workflow files that the push starts deploys to it")
		d.Until = last
	}
	return last != ""
}
