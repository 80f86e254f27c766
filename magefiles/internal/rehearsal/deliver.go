package rehearsal

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Images are those of the downstreams of a clone, in a registry of the world's.
type Images struct {
	Why      string // they are not built; "" where they are
	Registry string // with its owner, as IMAGE_REGISTRY has it
	Of       []fleet.Image
	End      func() // ends the registry
}

// deliveries are what is named where they are not rehearsed.
const deliveries = "the delivery to hosts"

// deliver takes the downstream that is deployed to its hosts, by the target itself.
func (r *run) deliver(ctx context.Context, w *workspace.Workspace, images Images) error {
	if r.Hosts == nil {
		r.missing(deliveries, "this magefile does not import targets/deploy, which has them")
		return nil
	}
	hosts, why, err := r.Hosts(w, filepath.Join(r.Dir, "hosts"))
	if err != nil {
		return err
	}
	if why != "" {
		r.missing(deliveries, why)
		return nil
	}
	defer hosts.Close()
	i := slices.IndexFunc(images.Of, func(one fleet.Image) bool { return one.App == hosts.App() })
	if i < 0 {
		r.missing(deliveries, "no image is made of "+hosts.App())
		return nil
	}
	of, err := w.Downstream(hosts.App())
	if err != nil {
		return err
	}
	d := fleet.Delivery{
		Hosts:    hosts,
		Image:    images.Of[i],
		Before:   r.report.Commit,
		Why:      images.Why,
		Workflow: cmp.Or(of.Image.Workflow, "images.yml"),
		Branch:   r.branch,
		Hub:      r.world.Hub,
		Out:      r.Out,
		Err:      r.Err,
		Step:     r.step,
		Missing:  r.missing,
		Run: func(ctx context.Context, out, said io.Writer, variables []string, args ...string) error {
			c := r.child(out, said, false, args...)
			c.Env = command.Setenv(command.Setenv(c.Env, append(hosts.Environ(), "IMAGE_REGISTRY="+images.Registry)...), variables...)
			return r.Runner.Run(ctx, c)
		},
		Tip: func(ctx context.Context, branch string) (string, error) {
			return r.world.atRemote(ctx, "rev-parse", "refs/heads/"+branch)
		},
	}
	err = d.All(ctx)
	r.report.Fleet = hosts.Stays()
	r.missing("the hosts of "+hosts.App(), "they are stand-ins in this process, reached without ssh, and watched for a second: what their containers run answers the health check and nothing else")
	return err
}
