package localengine_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
	"github.com/foopack/foopack/magefiles/internal/localengine"
)

// process converts a container for enginetest.App.
func process(c *localengine.Container) enginetest.Process {
	return enginetest.Process{
		Args:   c.Command,
		Env:    c.Getenv,
		Stdin:  c.Stdin,
		Stdout: c.Stdout,
		Stderr: c.Stderr,
		Listen: c.Listen,
		Dial:   c.Dial,
		Path:   c.Path,
	}
}

func app(ref string) localengine.Image {
	return localengine.Image{
		Ref:      ref,
		ID:       localengine.Digest("app"),
		Labels:   map[string]string{"suite": "yes"},
		User:     "0",
		Ports:    []uint16{enginetest.Port},
		Program:  func(ctx context.Context, c *localengine.Container) int { return enginetest.App(ctx, process(c)) },
		Check:    func(*localengine.Container) bool { return true },
		Interval: time.Second,
		Command: func(c *localengine.Container, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
			if argv[0] != "/app" {
				return 0, false
			}
			p := process(c)
			p.Args, p.Stdin, p.Stdout, p.Stderr = argv[1:], stdin, stdout, stderr
			return enginetest.App(context.Background(), p), true
		},
	}
}

func start(t *testing.T) *localengine.Engine {
	t.Helper()
	e, err := localengine.Start(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestConformance(t *testing.T) {
	e := start(t)
	b := enginetest.Bench{
		Dial:    e.Dial,
		App:     "registry.example/app@" + localengine.Digest("1"),
		Again:   "registry.example/app@" + localengine.Digest("2"),
		Foreign: "registry.example/app@" + localengine.Digest("3"),
		Private: "private.example/app@" + localengine.Digest("4"),
		Login:   engine.Login{Server: "private.example", User: "jane", Password: "secret"},
		Restart: func() {
			e.Down()
			require.NoError(t, e.Up())
		},
	}
	e.Protect("private.example", "jane", "secret")
	e.Offer(app(b.App))
	e.Offer(app(b.Again))
	e.Offer(localengine.Image{Ref: b.Foreign, Arch: []string{"arm64"}})
	e.Offer(localengine.Image{Ref: b.Private})
	enginetest.Run(t, b)
	for _, r := range e.Requests() {
		require.NotContains(t, r.Path+r.Body, "c2VjcmV0", "a login is in a header alone")
	}
}

// An exec runs this machine's sh, with volume paths in its arguments replaced by real folders.
func TestLocalShell(t *testing.T) {
	e := start(t)
	ref := "registry.example/app@" + localengine.Digest("1")
	e.Offer(localengine.Image{Ref: ref})
	c := engine.New(e.Dial)
	defer c.Close()
	ctx := t.Context()
	require.NoError(t, c.Pull(ctx, ref, engine.Login{}))
	id, err := c.Create(ctx, engine.Spec{Image: ref, Mounts: []engine.Mount{{Volume: "state", Target: "/state"}}})
	require.NoError(t, err)
	require.NoError(t, c.Start(ctx, id))
	r, err := c.Exec(ctx, id, []string{"sh", "-c", `cat > "$1/file" && cat "$1/file"; echo said >&2; exit 4`, "sh", "/state"}, strings.NewReader("text"))
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stdout: "text", Stderr: "said\n", Exit: 4}, r)
	require.FileExists(t, e.Volume("state")+"/file")
}
