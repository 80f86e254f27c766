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

// deliveries are what is named where they are not rehearsed.
const deliveries = "the delivery to hosts"

// deliver takes the downstream that is deployed to its hosts, by the target itself, which pushes the branch; where there are none, the branch is pushed.
func (u *upgrading) deliver(ctx context.Context) error {
	hosts, why, err := u.hosts()
	if err != nil {
		return err
	}
	if why != "" {
		u.missing(deliveries, why)
		return u.whileRunning(ctx, u.push)
	}
	defer hosts.Close()
	u.further, u.event.Further = append(u.further, hosts.Environ()...), append(u.event.Further, hosts.Environ()...)
	plan, err := u.planned(ctx, hosts.App())
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
		return u.whileRunning(ctx, u.push)
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
	err = u.whileRunning(ctx, func(ctx context.Context) error {
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
	u.missing("the hosts of "+hosts.App(), "they are stand-ins in this process, reached without ssh, and watched for a second: what their containers run answers the health check and nothing else")
	return err
}

// hosts are started, or it is said why there are none.
func (u *upgrading) hosts() (fleet.Hosts, string, error) {
	if u.Hosts == nil {
		return nil, "this magefile does not import targets/deploy, which has them", nil
	}
	return u.Hosts(u.w, filepath.Join(u.Dir, "hosts"))
}

// planned is what is planned for the image of the downstream, as far as a stand-in needs it.
func (u *upgrading) planned(ctx context.Context, app string) (plan struct {
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
		return plan, operr.New("", "docker:plan said no JSON: %.200q", out)
	}
	return plan, nil
}

// until finds the last environment that something delivers to, and names those behind it: the CI deploys by no file here. It reports whether there is one.
func (u *upgrading) until(d *fleet.Delivery, of *workspace.Downstream) bool {
	if of.Image != nil && of.Image.Publish == settings.PublishCI && !u.started.Makes(of.Dir, of.Name()) {
		u.missing("the image of "+of.Name()+" by the CI", "no workflow file that the push starts makes it")
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
		u.missing("the delivery to "+strings.Join(left, " and "), "the CI deploys to "+left[0]+" (by = \"ci\"), and no workflow file that the push starts does")
		d.Until = last
	}
	return last != ""
}
