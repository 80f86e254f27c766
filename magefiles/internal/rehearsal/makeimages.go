package rehearsal

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Shown runs one step, and shows it by its name.
type Shown func(name string, f func() (evidence string, err error)) error

// MakeImages builds, proves and pushes the images of all downstreams to the registry that serve starts, from packages that are on the channel at an
// address (a server's, as PREFIX_SERVER_URL has it). Where images cannot be built here at all, none has a digest and Why says so. The registry
// runs until End.
func MakeImages(ctx context.Context, m *imagejob.Maker, builder *buildx.Builder, w *workspace.Workspace, server string,
	serve func() (host string, end func(), err error), show Shown,
) (made Images, err error) {
	node, err := builder.Look(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return made, cause
	}
	switch {
	case err != nil:
		made.Why = err.Error()
	case !node.Loopback():
		made.Why = "the builder " + node.Name + " has a network of its own, and cannot reach a registry on this machine's loopback; " +
			"`docker buildx create --use --driver-opt network=host` makes one that can"
	}
	host, end, err := serve()
	if err != nil {
		return made, err
	}
	made.End, made.Registry = end, host+"/rehearsal"
	m.Registry, m.Server = made.Registry, server
	for _, d := range w.Downstreams {
		if d.Image == nil {
			continue
		}
		p, err := m.Plan(ctx, d, false, imagejob.Flags{}, imagejob.Face{})
		if err != nil {
			return made, err
		}
		one := fleet.Image{App: d.Name(), Repository: p.Repository, Revision: p.Revision, Platforms: p.Platforms, Labels: p.Labels}
		if made.Why == "" {
			result, err := m.Run(ctx, d, imagejob.Flags{Push: true}, imagejob.Face{Steps: stepsOf{name: d.Name(), show: show}})
			if err != nil {
				return made, err
			}
			one.Digest = result.Digest
		}
		made.Of = append(made.Of, one)
	}
	return made, nil
}

// stepsOf shows the steps of one image among those of others.
type stepsOf struct {
	name string
	show Shown
}

func (s stepsOf) Step(name string, f func() (evidence string, err error)) error {
	return s.show(s.name+": "+name, f)
}
