package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// runner runs the script by an exec in the proxy's container. Where that does not run, or where volumes are named that it has not, it is
// run in a container of the same image that is made for it.
type runner struct {
	c      *Container
	mounts []engine.Mount
}

// Inside runs the script of hoststate in a container that is made for it, with the proxy's volume and others.
func (c *Container) Inside(mounts ...engine.Mount) hoststate.Runner {
	return runner{c: c, mounts: mounts}
}

// Run is what hoststate.Runner says.
func (r runner) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	var input io.Reader
	if stdin != nil {
		input = bytes.NewReader(stdin)
	}
	if r.mounts == nil {
		result, err := r.c.Engine.Exec(ctx, r.c.Name(), argv, input)
		if err == nil && neverRan(result.Exit) {
			err = r.c.endedMeanwhile(ctx, result.Exit)
		}
		if !errors.Is(err, engine.NotFound) && !errors.Is(err, engine.Conflict) {
			return []byte(result.Stdout), result.Exit, err
		}
		if stdin != nil {
			input = bytes.NewReader(stdin)
		}
	}
	spec := engine.Spec{
		Image:      r.c.Image,
		Entrypoint: argv[:1],
		Command:    argv[1:],
		User:       "0:0",
		Network:    "none",
		Labels:     map[string]string{labelHelper: r.c.Name()},
		Mounts:     append([]engine.Mount{{Volume: r.c.volume("state"), Target: hoststate.Dir}}, r.mounts...),
	}
	result, err := r.c.Engine.RunOnce(ctx, spec, input)
	return []byte(result.Stdout), result.Exit, err
}

// neverRan reports whether a status is that of a program that could not be started, or was killed; the script has others.
func neverRan(status int) bool { return status == 126 || status == 127 || status == 137 }

// endedMeanwhile is the error of a call whose container came to its end under it, as it does when the engine starts again: nothing is known of what
// it did. It is nil where a program that does nothing fails in the same way: then the image is not one for us.
func (c *Container) endedMeanwhile(ctx context.Context, status int) error {
	nothing, err := c.Engine.Exec(ctx, c.Name(), []string{"sh", "-c", ":"}, nil)
	if err == nil && nothing.Exit == status {
		return nil
	}
	return &engine.Error{
		Kind:  engine.Unreachable,
		Doing: "running a command in container " + c.Name(),
		Err:   errors.New("the container ended before it had answered"),
	}
}

// Holding is Inside, in a container that stays until end is called: what is in memory goes with the last container that has it.
func (c *Container) Holding(ctx context.Context, mounts ...engine.Mount) (inside hoststate.Runner, end func() error, err error) {
	id, err := c.Engine.Create(ctx, engine.Spec{
		Image:      c.Image,
		Entrypoint: []string{"sh"},
		Command:    []string{"-c", "exec tail -f /dev/null"},
		User:       "0:0",
		Network:    "none",
		Labels:     map[string]string{labelHelper: c.Name()},
		Mounts:     mounts,
	})
	if err != nil {
		return nil, nil, err
	}
	end = func() error { return c.Engine.Remove(context.WithoutCancel(ctx), id) }
	if err := c.Engine.Start(ctx, id); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return holding{engine: c.Engine, id: id}, end, nil
}

// holding runs the script by an exec in one container.
type holding struct {
	engine *engine.Client
	id     string
}

// Run is what hoststate.Runner says.
func (h holding) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	result, err := h.engine.Exec(ctx, h.id, argv, bytes.NewReader(stdin))
	return []byte(result.Stdout), result.Exit, err
}

// RemoveVolume takes a volume away that Inside has written to. A run that was killed meanwhile has left its container in it.
func (c *Container) RemoveVolume(ctx context.Context, name string) error {
	err := c.Engine.RemoveVolume(ctx, name)
	if !errors.Is(err, engine.Conflict) {
		return err
	}
	helpers, err := c.Engine.Containers(ctx, labelHelper+"="+c.Name())
	if err != nil {
		return err
	}
	for _, h := range helpers {
		if !slices.ContainsFunc(h.Mounts, func(m engine.Mount) bool { return m.Volume == name }) {
			continue
		}
		if err := c.Engine.Remove(ctx, h.ID); err != nil && !errors.Is(err, engine.NotFound) {
			return err
		}
	}
	return c.Engine.RemoveVolume(ctx, name)
}
