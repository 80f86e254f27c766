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

// runner runs the script in the proxy's container, by an exec of the engine. If this container is not running, or if the script needs other volumes,
// runner creates a container of the same image for the script.
type runner struct {
	c      *Container
	mounts []engine.Mount
}

// Inside returns a Runner for the script of hoststate. Each call runs in a new container with the proxy's volume and the given mounts.
func (c *Container) Inside(mounts ...engine.Mount) hoststate.Runner {
	return runner{c: c, mounts: mounts}
}

// Run implements hoststate.Runner.
func (r runner) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	var input io.Reader
	if stdin != nil {
		input = bytes.NewReader(stdin)
	}
	if r.mounts == nil {
		result, err := r.c.Engine.Exec(ctx, r.c.Name(), argv, input)
		if err == nil && neverRan(result.Exit) {
			err = r.c.explainEnd(ctx, result.Exit)
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

// neverRan reports whether an exit status indicates that a program could not be started, or was killed. The script exits with other statuses.
func neverRan(status int) bool { return status == 126 || status == 127 || status == 137 }

// explainEnd returns the error for a call whose container exited during the call, for example because the engine restarted: the call's result is
// unknown. It returns nil if a trivial program fails in the same way, because then the image is unsuitable.
func (c *Container) explainEnd(ctx context.Context, status int) error {
	nothing, err := c.Engine.Exec(ctx, c.Name(), []string{"sh", "-c", ":"}, nil)
	if err == nil && nothing.Exit == status {
		return nil
	}
	return &engine.Error{
		Kind:  engine.Unreachable,
		Doing: "running a command in container " + c.Name(),
		Err:   errors.New("the container ended before it answered"),
	}
}

// Holding returns a Runner for the script in a container that runs until `end` is called, which preserves an in-memory volume until the application
// uses it.
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

// holding runs the script in a running container, by an exec of the engine.
type holding struct {
	engine *engine.Client
	id     string
}

// Run implements hoststate.Runner.
func (h holding) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	result, err := h.engine.Exec(ctx, h.id, argv, bytes.NewReader(stdin))
	return []byte(result.Stdout), result.Exit, err
}

// RemoveVolume removes a volume that Inside has written to, along with containers that killed runs of Inside have left.
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
