package targets

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Bumper returns a bumper for the workspace. First it reverts the changes that a killed bump has left.
func (x *Extension) Bumper(ctx context.Context) (*bumping.Bumper, error) {
	return x.pipeline.bumping(ctx, bumpFlags{})
}

// Pins plans how a downstream's pins move to a version; "" means the newest. It reads the manifests again: another step may have changed them.
func (x *Extension) Pins(ctx context.Context, name, to string) (*bump.Plan, error) {
	w, err := workspace.Load(x.pipeline.dir)
	if err != nil {
		return nil, err
	}
	d, err := w.Downstream(name)
	if err != nil {
		return nil, err
	}
	from := ourchannel.Available{Channels: x.pipeline.channels, Name: x.pipeline.channels.NameOf(w)}
	return bump.Upgrade(ctx, w, []*workspace.Downstream{d}, bump.Request{To: to}, from)
}

// Lock brings a downstream's lock file up to date.
func (x *Extension) Lock(ctx context.Context, d *workspace.Downstream) error {
	tools, err := x.pipeline.toolchain(ctx, x.Workspace)
	if err != nil {
		return err
	}
	return toolchain.Lock(ctx, tools, x.Workspace, []*manifest.Manifest{d.Manifest}, x.pipeline.show)
}

// Check runs a downstream's task check, with the packages of its present pins, from the channel.
func (x *Extension) Check(ctx context.Context, name string) error {
	w, err := workspace.Load(x.pipeline.dir)
	if err != nil {
		return err
	}
	return downstreamTask("check", false, name)(ctx, x.pipeline, w)
}

// PushedOf returns the image of a downstream's commit. `there` reports whether the registry has that image.
func (x *Extension) PushedOf(ctx context.Context, d *workspace.Downstream, commit string) (found imagejob.Pushed, there bool, err error) {
	found, err = x.Pushed(ctx, d, image.RevisionTag(commit), "")
	if errors.Is(err, registry.ErrNotFound) {
		return found, false, nil
	}
	return found, err == nil, err
}

// MakeImage builds, proves and pushes the image of a downstream from the checked-out commit, without a question.
func (x *Extension) MakeImage(ctx context.Context, name string) error {
	w, err := workspace.Load(x.pipeline.dir)
	if err != nil {
		return err
	}
	d, err := w.Downstream(name)
	if err != nil {
		return err
	}
	m, err := x.pipeline.images(ctx, w)
	if err != nil {
		return err
	}
	yes := true
	f := ImageFlags{Push: &yes, Yes: &yes}
	_, err = m.Run(ctx, d, f.asked(), x.pipeline.face(f))
	return err
}

// Hub returns the access to GitHub, if the remote is on GitHub.
func (x *Extension) Hub(ctx context.Context) (forge.Hub, error) {
	b, err := x.Bumper(ctx)
	if err != nil {
		return forge.Hub{}, err
	}
	return x.pipeline.hub(ctx, b.Repo, x.Workspace)
}
