package deploy

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// Todo is what Setup would do on a host.
type Todo struct {
	Host string
	Will []string // a sentence for each thing
}

// Missing is what Setup would do, on hosts where it would do something.
func (d *Deployer) Missing(ctx context.Context) ([]Todo, error) {
	all := make([]Todo, len(d.Environment.Hosts))
	err := d.each(ctx, d.everywhere(), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		will, err := m.Front.Missing(ctx, d.Key(), d.Service())
		for n, host := range d.Environment.Hosts {
			if host == h.Host {
				all[n] = Todo{Host: host, Will: will}
			}
		}
		return err
	})
	var todo []Todo
	for _, one := range all {
		if len(one.Will) > 0 {
			todo = append(todo, one)
		}
	}
	return todo, err
}

// everywhere are all hosts of the environment.
func (d *Deployer) everywhere() (hosts []survey.HostPlan) {
	for _, host := range d.Environment.Hosts {
		hosts = append(hosts, survey.HostPlan{Host: host})
	}
	return hosts
}

// Setup lets the proxy run on all hosts, and serve the environment. It may be run again at any time.
func (d *Deployer) Setup(ctx context.Context) error {
	return d.each(ctx, d.everywhere(), func(ctx context.Context, _ survey.HostPlan, m *survey.Machine) error {
		if err := m.Front.Prepare(ctx); err != nil {
			return err
		}
		who := d.Who
		who.Since = d.Now().UTC()
		var taken hoststate.Taken
		err := d.patiently(ctx, func(ctx context.Context) (err error) {
			taken, err = m.State.Take(ctx, d.Key(), who, d.Times.Lease)
			return err
		})
		if err != nil {
			return err
		}
		if err := m.Front.Ensure(ctx, d.Key(), taken.Fence, d.Service()); err != nil {
			_ = m.State.Release(context.WithoutCancel(ctx), d.Key(), taken.Fence) // who cannot be told has a lease
			return err
		}
		return m.State.Release(ctx, d.Key(), taken.Fence)
	})
}
