package deploy

import (
	"context"
	"io"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
)

// Logs writes the logs of the containers that receive requests, with the host's name before each line. It writes the last lines, or with `follow`
// all lines until ctx is done.
func (d *Deployer) Logs(ctx context.Context, follow bool, out io.Writer) error {
	const tail = 100
	var mu sync.Mutex
	return d.each(ctx, d.everywhere(), func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		seen := d.LookAt(ctx, h.Host, 0)
		if seen.Err != nil {
			return seen.Err
		}
		c := seen.Behind(seen.Up)
		if c == nil {
			d.Say("%s: no container gets the requests on this host", h.Host)
			return nil
		}
		lines := &engine.Lines{To: out, Mu: &mu, Prefix: h.Host + "  "}
		err := m.Engine.Logs(ctx, c.ID, tail, follow, lines, lines)
		lines.End()
		return err
	})
}
