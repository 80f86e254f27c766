package deploy

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
)

// Todo lists what Setup or Remove would do on a host.
type Todo struct {
	Host string
	Will []string // one sentence for each change
}

// Missing returns what Setup would do on each host, except excluded hosts and hosts with nothing to do.
func (d *Deployer) Missing(ctx context.Context, without []string) ([]Todo, error) {
	hosts, err := d.HostsWithout(without)
	if err != nil {
		return nil, err
	}
	all := make([]Todo, len(hosts))
	err = d.each(ctx, plansOf(hosts), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		will, err := m.Front.Missing(ctx, d.Key(), d.Service())
		all[slices.Index(hosts, h.Host)] = Todo{Host: h.Host, Will: will}
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

// everywhere returns all hosts of the environment.
func (d *Deployer) everywhere() []survey.HostPlan { return plansOf(d.Environment.Hosts) }

func plansOf(hosts []string) (all []survey.HostPlan) {
	for _, host := range hosts {
		all = append(all, survey.HostPlan{Host: host})
	}
	return all
}

// Setup starts the proxy and configures it for the environment, on all hosts except the excluded ones. It can be repeated at any time.
func (d *Deployer) Setup(ctx context.Context, without []string) error {
	hosts, err := d.HostsWithout(without)
	if err != nil {
		return err
	}
	return d.each(ctx, plansOf(hosts), func(ctx context.Context, _ survey.HostPlan, m *survey.Machine) error {
		if err := m.Front.Prepare(ctx); err != nil {
			return err
		}
		fence, err := d.takeFor(ctx, m)
		if err != nil {
			return err
		}
		if err := m.Front.Ensure(ctx, d.Key(), fence, d.Service()); err != nil {
			_ = m.State.Release(context.WithoutCancel(ctx), d.Key(), fence) // on an unreachable host, the lock expires with its lease
			return err
		}
		return m.State.Release(ctx, d.Key(), fence)
	})
}

// takeFor acquires a host's lock for setup or removal.
func (d *Deployer) takeFor(ctx context.Context, m *survey.Machine) (fence int64, err error) {
	who := d.Who
	who.Since = d.Now().UTC()
	err = d.waitForLock(ctx, func(ctx context.Context) error {
		taken, err := m.State.Take(ctx, d.Key(), who, d.Times.Lease)
		fence = taken.Fence
		return err
	})
	return fence, err
}
