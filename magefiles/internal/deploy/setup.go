package deploy

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// notSetUp is the error of a host on which the proxy is not as it has to be; nil where nothing is missing.
func (d *Deployer) notSetUp(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	return operr.New("`mage deploy:setup -env="+d.Environment.Name+"` does it", "the host is not set up: %s", strings.Join(missing, "; "))
}

// Todo is what Setup would do on a host.
type Todo struct {
	Host string
	Will []string // a sentence for each thing
}

// Missing is what Setup would do, on hosts where it would do something.
func (d *Deployer) Missing(ctx context.Context) ([]Todo, error) {
	all := make([]Todo, len(d.Environment.Hosts))
	err := d.each(ctx, d.everywhere(), func(ctx context.Context, h HostPlan, m *Machine) error {
		will, err := m.Front.Missing(ctx, d.key(), d.service())
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
func (d *Deployer) everywhere() (hosts []HostPlan) {
	for _, host := range d.Environment.Hosts {
		hosts = append(hosts, HostPlan{Host: host})
	}
	return hosts
}

// Setup lets the proxy run on all hosts, and serve the environment. It may be run again at any time.
func (d *Deployer) Setup(ctx context.Context) error {
	return d.each(ctx, d.everywhere(), func(ctx context.Context, _ HostPlan, m *Machine) error {
		if err := m.Front.Prepare(ctx); err != nil {
			return err
		}
		who := d.Who
		who.Since = d.Now().UTC()
		var taken hoststate.Taken
		err := d.untilFree(ctx, func(ctx context.Context) (err error) {
			taken, err = m.State.Take(ctx, d.key(), who, d.Times.Lease)
			return err
		})
		if err != nil {
			return err
		}
		if err := m.Front.Ensure(ctx, d.key(), taken.Fence, d.service()); err != nil {
			_ = m.State.Release(context.WithoutCancel(ctx), d.key(), taken.Fence) // who cannot be told has a lease
			return err
		}
		return m.State.Release(ctx, d.key(), taken.Fence)
	})
}
