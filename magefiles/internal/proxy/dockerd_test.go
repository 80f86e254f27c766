package proxy_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// The proxy with the real Caddy in a container on the real engine.
func TestOnDocker(t *testing.T) {
	docker := dockerdtest.Start(t)
	ctx := t.Context()
	client := engine.New(docker.Dial)
	defer client.Close()
	ref := dockerdtest.StartRegistry(t, "", "").Push(t, "caddy", "amd64", "", proxytest.Image(t))
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: ref}
	first, second := proxy.Service{Domain: "a.example.org", Drain: time.Minute}, proxy.Service{Domain: "b.example.org"}
	fence := setup(t, c, "a.staging", first)
	p := c.Proxy()

	// The application is Caddy too.
	release := func(name string) string {
		id, err := client.Create(ctx, engine.Spec{
			Name:       "container-of-" + name,
			Image:      ref,
			Entrypoint: []string{"caddy"},
			Command:    []string{"respond", "--listen", ":8080", "--header", "X-Revision: " + name, "--body", name},
			Network:    c.Network(),
			Aliases:    []string{name},
		})
		require.NoError(t, err)
		require.NoError(t, client.Start(ctx, id))
		return name + ":8080"
	}
	one, other := release("one"), release("two")
	require.NoError(t, p.State.SetNext(ctx, "a.staging", fence, one))
	require.Eventually(t, func() bool {
		a, err := p.AskNext(ctx, "a.staging", first, "/healthz")
		return err == nil && a.Status == 200 && a.Header.Get("X-Revision") == "one"
	}, time.Minute, 100*time.Millisecond)
	require.NoError(t, p.State.Switch(ctx, "a.staging", fence, one))
	a, err := p.AskPublished(ctx, "a.staging", first, "/healthz")
	require.NoError(t, err)
	require.Equal(t, "one", string(a.Body))
	require.Equal(t, "one", page(t, c, "a.example.org"))
	n, err := p.Open(ctx, one)
	require.NoError(t, err)
	require.Zero(t, n)

	fence = setup(t, c, "b.staging", second)
	require.NoError(t, p.State.Switch(ctx, "b.staging", fence, other))
	require.Equal(t, "one", page(t, c, "a.example.org"))
	require.Equal(t, "two", page(t, c, "b.example.org"))

	// While the proxy is stopped, another container accesses its state.
	require.NoError(t, client.Stop(ctx, c.Name(), 10*time.Second))
	require.NoError(t, p.State.Switch(ctx, "b.staging", fence, one))
	require.NoError(t, client.EnsureVolume(ctx, engine.Volume{Name: "secrets"}))
	inside := &hoststate.State{Runner: c.Inside(engine.Mount{Volume: "secrets", Target: "/secrets"})}
	require.NoError(t, inside.PutSecret(ctx, "/secrets", "TOKEN", 1000, []byte("s3cr3t\x00\n")))
	read, err := client.RunOnce(ctx, engine.Spec{
		Image:      ref,
		Entrypoint: []string{"sh"},
		Command:    []string{"-c", "cat /secrets/TOKEN"},
		User:       "1000",
		Mounts:     []engine.Mount{{Volume: "secrets", Target: "/secrets", ReadOnly: true}},
	}, nil)
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stdout: "s3cr3t\x00\n"}, read)
	require.NoError(t, c.Ensure(ctx, "b.staging", fence, second))
	require.Equal(t, "one", page(t, c, "b.example.org"))

	// The engine restarts, without any other action.
	docker.Stop()
	docker.Run()
	require.Eventually(t, func() bool {
		missing, err := c.Missing(ctx, "b.staging", second)
		return err == nil && len(missing) == 0
	}, time.Minute, 100*time.Millisecond)
	free, err := p.State.Free(ctx)
	require.NoError(t, err)
	require.Positive(t, free)
}
