package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/localengine"
)

const digest = "registry.example/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func start(t *testing.T) (*localengine.Engine, *engine.Client) {
	t.Helper()
	e, err := localengine.Start(t.TempDir())
	require.NoError(t, err)
	c := engine.New(e.Dial)
	t.Cleanup(func() {
		require.NoError(t, c.Close())
		require.NoError(t, e.Close())
	})
	return e, c
}

// A connection that breaks, at any point, gives an error of its own kind. So does each other failure that callers must distinguish.
func TestKinds(t *testing.T) {
	e, c := start(t)
	ctx := t.Context()
	e.Offer(localengine.Image{Ref: digest})
	require.NoError(t, c.Pull(ctx, digest, engine.Login{}))
	id, err := c.Create(ctx, engine.Spec{Image: digest})
	require.NoError(t, err)
	require.NoError(t, c.Start(ctx, id))
	calls := map[string]func(context.Context) error{
		"ping":    func(ctx context.Context) error { _, err := c.Ping(ctx); return err },
		"pull":    func(ctx context.Context) error { return c.Pull(ctx, digest, engine.Login{}) },
		"inspect": func(ctx context.Context) error { _, err := c.Inspect(ctx, id); return err },
		"exec":    func(ctx context.Context) error { _, err := c.Exec(ctx, id, []string{"true"}, nil); return err },
		"list":    func(ctx context.Context) error { _, err := c.Containers(ctx); return err },
		"create":  func(ctx context.Context) error { _, err := c.Create(ctx, engine.Spec{Image: digest}); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			for _, fault := range []localengine.Fault{localengine.Unanswered, localengine.Unheard} {
				e.Fail(func(localengine.Request) localengine.Fault { return fault })
				err := call(ctx)
				require.ErrorIs(t, err, engine.Unreachable)
				require.ErrorContains(t, err, "the connection broke before the engine had answered")
			}
			for n := range 3 {
				e.Fail(nil)
				e.Break(n)
				if err := call(ctx); err != nil {
					require.ErrorIs(t, err, engine.Unreachable)
				}
				e.Break(-1)
			}
			e.Fail(func(localengine.Request) localengine.Fault { return localengine.Hanging })
			short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
			defer stop()
			require.ErrorIs(t, call(short), engine.Stopped)
			if name != "ping" {
				e.Fail(func(r localengine.Request) localengine.Fault {
					if r.Path == "/_ping" {
						return localengine.None
					}
					return localengine.FullDisk
				})
				require.ErrorIs(t, call(ctx), engine.NoSpace)
				e.Fail(func(localengine.Request) localengine.Fault { return localengine.Broken })
				require.ErrorIs(t, call(ctx), engine.Failed)
			}
			e.Fail(nil)
			require.NoError(t, call(ctx))
		})
	}
	e.Down()
	for name, call := range calls {
		require.ErrorIs(t, call(ctx), engine.Unreachable, name)
	}
	wrong := errors.New("what a dialer says")
	_, err = engine.New(func(context.Context) (net.Conn, error) { return nil, wrong }).Ping(ctx)
	require.ErrorIs(t, err, engine.Unreachable)
	require.ErrorIs(t, err, wrong)
}

func TestVersions(t *testing.T) {
	for api, want := range map[string]string{"1.39": "", "1.40": "1.40", "1.41": "1.41", "1.57": "1.57", "1.99": "1.57"} {
		e, c := start(t)
		e.API = api
		v, err := c.Ping(t.Context())
		if want == "" {
			require.ErrorIs(t, err, engine.TooOld)
			require.Equal(t, api, v.API)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, engine.Version{Engine: "20.10.24", API: want, OS: "linux", Arch: "amd64"}, v)
	}
}

// An engine that accepts a request but does not respond causes an error after a timeout, also during a pull.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine.New(func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			t.Cleanup(func() { _ = theirs.Close() })
			return ours, nil
		})
		began := time.Now()
		_, err := c.Ping(t.Context())
		require.ErrorIs(t, err, engine.TimedOut)
		require.Less(t, time.Since(began), time.Minute)
		require.ErrorIs(t, c.Pull(t.Context(), digest, engine.Login{}), engine.TimedOut)
		require.Less(t, time.Since(began), 10*time.Minute)
	})
}

// A line that is written in pieces is one line, and so is an unterminated last line.
func TestLines(t *testing.T) {
	var rest bytes.Buffer
	l := &engine.Lines{To: &rest, Mu: &sync.Mutex{}, Prefix: "a  "}
	for _, piece := range []string{"be", "gun\nand ", "not ended"} {
		_, err := l.Write([]byte(piece))
		require.NoError(t, err)
	}
	l.End()
	require.Equal(t, "a  begun\na  and not ended\n", rest.String())
}
