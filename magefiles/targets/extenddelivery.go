package targets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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

// Bumper changes versions of the workspace, with what a killed run left taken back.
func (x *Extension) Bumper(ctx context.Context) (*bumping.Bumper, error) {
	return x.pipeline.bumping(ctx, bumpFlags{})
}

// Pins says how a downstream's pins move to a version; "" is the newest one of the channel. It is read anew: another step may have changed it.
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

// Locked is the path of a downstream's lock file, relative to a folder above the workspace; "" where it has none.
func (x *Extension) Locked(d *workspace.Downstream, top string) (string, error) {
	file := filepath.Join(x.Workspace.Root, filepath.FromSlash(d.Dir), workspace.LockFile)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	name, err := filepath.Rel(top, file)
	return filepath.ToSlash(name), err
}

// Lock brings a downstream's lock file up to date.
func (x *Extension) Lock(ctx context.Context, d *workspace.Downstream) error {
	tools, err := x.pipeline.toolchain(ctx, x.Workspace)
	if err != nil {
		return err
	}
	return toolchain.Lock(ctx, tools, x.Workspace, []*manifest.Manifest{d.Manifest}, x.pipeline.show)
}

// HasCheck reports whether a downstream has a task check.
func (*Extension) HasCheck(d *workspace.Downstream) bool {
	return toolchain.FindTask(d.Manifest, "check") != ""
}

// Check runs a downstream's task check, with the packages that it pins by now, from the channel.
func (x *Extension) Check(ctx context.Context, name string) error {
	w, err := workspace.Load(x.pipeline.dir)
	if err != nil {
		return err
	}
	return downstreamTask("check", false, name)(ctx, x.pipeline, w)
}

// PushedOf is the image of a commit of a downstream. there reports whether the registry has it.
func (x *Extension) PushedOf(ctx context.Context, d *workspace.Downstream, commit string) (found imagejob.Pushed, there bool, err error) {
	found, err = x.Pushed(ctx, d, image.RevisionTag(commit), "")
	if errors.Is(err, registry.ErrNotFound) {
		return found, false, nil
	}
	return found, err == nil, err
}

// MakeImage builds, proves and pushes the image of a downstream, of what is checked out. It does not ask.
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

// Hub is GitHub, where the remote is there.
func (x *Extension) Hub(ctx context.Context) (forge.Hub, error) {
	b, err := x.Bumper(ctx)
	if err != nil {
		return forge.Hub{}, err
	}
	return x.pipeline.hub(ctx, b.Repo, x.Workspace)
}
