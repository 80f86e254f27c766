package targets

import (
	"context"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// rehearseImages builds, proves and pushes the images of all downstreams to an embedded registry, from packages that are on
// the channel at an address (a server's, as PREFIX_SERVER_URL has it). dir is a folder of the rehearsal's. Where images
// cannot be built here at all, nothing is done and why says so.
func (a *pipeline) rehearseImages(ctx context.Context, w *workspace.Workspace, server, dir string, show func(name string, f func() (string, error)) error) (results []image.Result, why string, err error) {
	m, err := a.images(ctx, w)
	if err != nil {
		return nil, "", err
	}
	node, err := (&buildx.Builder{Runner: a.runner, Name: m.Builder}).Look(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return nil, "", cause
	}
	switch {
	case err != nil:
		return nil, err.Error(), nil
	case !node.Loopback():
		return nil, "the builder " + node.Name + " has a network of its own, and cannot reach a registry on this machine's loopback; " +
			"`docker buildx create --use --driver-opt network=host` makes one that can", nil
	}
	host, end, err := serveRegistry(filepath.Join(dir, "registry"))
	if err != nil {
		return nil, "", err
	}
	defer end()
	m.Registry, m.Server = host+"/rehearsal", server
	for _, d := range w.Downstreams {
		if d.Image == nil {
			continue
		}
		result, err := m.Run(ctx, d, imagejob.Flags{Push: true}, imagejob.Face{Steps: stepsOf{name: d.Name(), show: show}})
		if err != nil {
			return results, "", err
		}
		results = append(results, result)
	}
	return results, "", nil
}

// stepsOf shows the steps of one image among those of others.
type stepsOf struct {
	name string
	show func(name string, f func() (string, error)) error
}

func (s stepsOf) Step(name string, f func() (evidence string, err error)) error {
	return s.show(s.name+": "+name, f)
}
