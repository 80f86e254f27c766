package targets

import (
	"context"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// rehearseImages builds, proves and pushes the images of all downstreams to an embedded registry, from packages that are on
// the channel at an address (a server's, as PREFIX_SERVER_URL has it). dir is a folder of the rehearsal's. Where images
// cannot be built here at all, none has a digest and Why says so. The registry runs until End.
func (a *pipeline) rehearseImages(ctx context.Context, w *workspace.Workspace, server, dir string, show func(name string, f func() (string, error)) error) (made rehearsal.Images, err error) {
	m, err := a.images(ctx, w)
	if err != nil {
		return made, err
	}
	node, err := (&buildx.Builder{Runner: a.runner, Name: m.Builder}).Look(ctx)
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
	host, end, err := serveRegistry(filepath.Join(dir, "registry"))
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
	show func(name string, f func() (string, error)) error
}

func (s stepsOf) Step(name string, f func() (evidence string, err error)) error {
	return s.show(s.name+": "+name, f)
}
