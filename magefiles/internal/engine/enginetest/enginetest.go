// Package enginetest tests the engine behavior that we rely on. The suite runs against both dockerd and its stand-in (enginetest.go), with a test
// program (app.go). hand.go has calls that only users make.
package enginetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
)

// Bench is an engine with a registry. The suite cleans up everything that it creates.
type Bench struct {
	Dial engine.Dialer

	// App is an image for the engine's architecture with entrypoint /app (App), exposed port 8080, user 0, the label suite=yes, and a HEALTHCHECK
	// of "/app check" every second. Again is the same image with a different digest.
	App, Again string

	Foreign string       // an image of another architecture
	Private string       // an image that can only be pulled with Login
	Login   engine.Login // login of Private
	Restart func()       // restarts the engine
}

// Run runs the suite.
func Run(t *testing.T, b Bench) {
	s := &suite{Bench: b, c: engine.New(b.Dial), hand: PlainClient(t, b.Dial)}
	t.Cleanup(func() { _ = s.c.Close() })
	t.Run("version", s.version)
	t.Run("pull", s.pull)
	t.Run("life of a container", s.life)
	t.Run("exec", s.exec)
	t.Run("once", s.once)
	t.Run("logs", s.logs)
	t.Run("networks", s.networks)
	t.Run("published ports", s.ports)
	t.Run("volumes", s.volumes)
	t.Run("ends", s.ends)
	t.Run("images", s.images)
	t.Run("restart of the engine", s.restart)
	t.Run("nothing is left", s.clean)
}

type suite struct {
	Bench
	c    *engine.Client
	hand *client.Client
}

const label = "foopack.suite"

// waitSoon waits for an asynchronous change in the engine.
func waitSoon(t *testing.T, what func() bool, says string) {
	t.Helper()
	require.Eventually(t, what, 30*time.Second, 20*time.Millisecond, says)
}

// make creates a container that is removed after the test.
func (s *suite) make(t *testing.T, spec engine.Spec) string {
	t.Helper()
	if spec.Image == "" {
		spec.Image = s.App
	}
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	spec.Labels[label] = t.Name()
	id, err := s.c.Create(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.c.Remove(context.Background(), id); !errors.Is(err, engine.NotFound) {
			require.NoError(t, err)
		}
	})
	return id
}

// run creates and starts a container.
func (s *suite) run(t *testing.T, spec engine.Spec) string {
	t.Helper()
	if spec.Command == nil {
		spec.Command = []string{"serve"}
	}
	id := s.make(t, spec)
	require.NoError(t, s.c.Start(t.Context(), id))
	return id
}

func (s *suite) inspect(t *testing.T, id string) engine.Container {
	t.Helper()
	c, err := s.c.Inspect(t.Context(), id)
	require.NoError(t, err)
	return c
}

func (s *suite) network(t *testing.T) string {
	t.Helper()
	require.NoError(t, s.c.EnsureNetwork(t.Context(), "suite", map[string]string{label: "yes"}))
	t.Cleanup(func() {
		_, err := s.hand.NetworkRemove(context.Background(), "suite", client.NetworkRemoveOptions{})
		require.NoError(t, err)
	})
	return "suite"
}

func (s *suite) version(t *testing.T) {
	v, err := s.c.Ping(t.Context())
	require.NoError(t, err)
	require.Equal(t, "linux", v.OS)
	require.Equal(t, "amd64", v.Arch)
	require.NotEmpty(t, v.Engine)
	require.Regexp(t, `^1\.\d+$`, v.API)
}

func (s *suite) pull(t *testing.T) {
	ctx := t.Context()
	_, err := s.c.Image(ctx, s.App)
	require.ErrorIs(t, err, engine.NotFound)
	there, err := s.c.Distribution(ctx, s.App, engine.Login{})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(s.App, "@"+there.Digest))
	foreign, err := s.c.Distribution(ctx, s.Foreign, engine.Login{})
	require.NoError(t, err)
	require.Equal(t, []string{"linux/arm64"}, foreign.Platforms)

	require.NoError(t, s.c.Pull(ctx, s.App, engine.Login{}))
	require.NoError(t, s.c.Pull(ctx, s.App, engine.Login{}), "again")
	i, err := s.c.Image(ctx, s.App)
	require.NoError(t, err)
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, i.ID)
	require.Equal(t, []string{s.App}, i.Digests)
	require.Equal(t, "linux", i.OS)
	require.Equal(t, "amd64", i.Arch)
	require.Equal(t, "0", i.User)
	require.Equal(t, []string{"8080/tcp"}, i.Exposed)
	require.Equal(t, map[string]string{"suite": "yes"}, i.Labels)
	require.Equal(t, time.Second, i.Health.Interval)

	repository, _, _ := strings.Cut(s.App, "@")
	require.ErrorIs(t, s.c.Pull(ctx, repository+"@sha256:"+strings.Repeat("0", 64), engine.Login{}), engine.NotFound)
	_, err = s.c.Distribution(ctx, repository+"@sha256:"+strings.Repeat("0", 64), engine.Login{})
	require.Error(t, err)
	require.ErrorIs(t, s.c.Pull(ctx, s.Foreign, engine.Login{}), engine.WrongArch, "the image does not support this machine's platform")

	wrong := s.Login
	wrong.Password += "x"
	for _, login := range []engine.Login{{}, wrong} {
		err = s.c.Pull(ctx, s.Private, login)
		require.ErrorIs(t, err, engine.Unauthorized)
		require.NotContains(t, err.Error(), wrong.Password)
		_, err = s.c.Distribution(ctx, s.Private, login)
		require.ErrorIs(t, err, engine.Unauthorized)
	}
	_, err = s.c.Distribution(ctx, "registry.invalid/app@sha256:"+strings.Repeat("0", 64), engine.Login{Server: "registry.invalid", User: "op"})
	var asked *engine.Error
	require.ErrorAs(t, err, &asked)
	require.Contains(t, asked.Doing, "at its registry", "the engine said whether it may be asked without TLS")
	_, err = s.c.Distribution(ctx, s.Private, s.Login)
	require.NoError(t, err)
	require.NoError(t, s.c.Pull(ctx, s.Private, s.Login))
}

func (s *suite) life(t *testing.T) {
	ctx := t.Context()
	values := []string{"NAME=first", "ODD= $HOME \"'\n-x="}
	spec := engine.Spec{
		Name:        "suite-first",
		Image:       s.App,
		Labels:      map[string]string{"odd": " $HOME \"'\n", label: "here"},
		Env:         values,
		Command:     []string{"serve"},
		Memory:      1 << 27,
		LogDriver:   "local",
		LogOptions:  map[string]string{"max-size": "20m", "max-file": "5"},
		StopTimeout: 1500 * time.Millisecond,
	}
	began := time.Now().Add(-time.Second)
	id := s.make(t, spec)
	_, err := s.c.Create(ctx, spec)
	require.ErrorIs(t, err, engine.Conflict, "the name is in use")
	nameless := spec
	nameless.Name, nameless.Image = "", strings.Replace(s.App, "@sha256:", "@sha256:"+strings.Repeat("0", 10), 1)[:len(s.App)]
	_, err = s.c.Create(ctx, nameless)
	require.ErrorIs(t, err, engine.NotFound, "the engine does not have the image")

	c := s.inspect(t, "suite-first")
	image, err := s.c.Image(ctx, s.App)
	require.NoError(t, err)
	require.Equal(t, id, c.ID)
	require.Equal(t, "suite-first", c.Name)
	require.Equal(t, s.App, c.Image)
	require.Equal(t, image.ID, c.ImageID)
	require.Equal(t, " $HOME \"'\n", c.Labels["odd"])
	require.Equal(t, "yes", c.Labels["suite"], "the value is that of the image")
	require.Equal(t, engine.Created, c.State)
	require.Equal(t, engine.Never, c.Restart)
	require.True(t, c.Started.IsZero())

	require.NoError(t, s.c.Start(ctx, id))
	require.NoError(t, s.c.Start(ctx, id), "the container is already running")
	c = s.inspect(t, id)
	require.Equal(t, engine.Running, c.State)
	require.True(t, c.Started.After(began))
	require.Contains(t, []engine.Health{engine.Starting, engine.Healthy}, c.Health)
	waitSoon(t, func() bool { return s.inspect(t, id).Health == engine.Healthy }, "it does not become healthy")

	all, err := s.c.Containers(ctx, label)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, id, all[0].ID)
	all, err = s.c.Containers(ctx, label, label+"=elsewhere")
	require.NoError(t, err)
	require.Empty(t, all)

	Rename(t, s.Dial, id, "suite-second")
	require.NoError(t, s.c.SetRestart(ctx, id, engine.UnlessStopped))
	c = s.inspect(t, id)
	require.Equal(t, "suite-second", c.Name)
	require.Equal(t, engine.UnlessStopped, c.Restart)

	require.NoError(t, s.c.Stop(ctx, id, 5*time.Second))
	require.NoError(t, s.c.Stop(ctx, id, 5*time.Second), "the container is already stopped")
	c = s.inspect(t, id)
	require.Equal(t, engine.Exited, c.State)
	require.Zero(t, c.ExitCode)
	require.False(t, c.Finished.IsZero())
	all, err = s.c.Containers(ctx, label+"="+t.Name())
	require.NoError(t, err)
	require.Len(t, all, 1, "stopped containers are listed, too")

	require.NoError(t, s.c.Remove(ctx, id))
	require.ErrorIs(t, s.c.Remove(ctx, id), engine.NotFound)
	require.ErrorIs(t, s.c.Start(ctx, id), engine.NotFound)
	require.ErrorIs(t, s.c.Stop(ctx, id, 0), engine.NotFound)
	_, err = s.c.Inspect(ctx, id)
	require.ErrorIs(t, err, engine.NotFound)
}

func (s *suite) exec(t *testing.T) {
	ctx := t.Context()
	id := s.run(t, engine.Spec{})
	odd := []string{"/app", "echo", " a b", "$HOME", "'\"", "-x", "new\nline", ""}
	r, err := s.c.Exec(ctx, id, odd, nil)
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stdout: strings.Join(odd[2:], "|")}, r)

	big := strings.Repeat("0123456789abcdef", 1<<14)
	r, err = s.c.Exec(ctx, id, []string{"/app", "copy"}, strings.NewReader(big))
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stdout: big, Stderr: "copied", Exit: 3}, r)
	r, err = s.c.Exec(ctx, id, []string{"/app", "copy"}, nil)
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stderr: "copied", Exit: 3}, r, "an empty input ends")
	r, err = s.c.Exec(ctx, id, []string{"/app", "exit", "7"}, strings.NewReader("not read"))
	require.NoError(t, err)
	require.Equal(t, 7, r.Exit)
	r, err = s.c.Exec(ctx, id, []string{"/no/such/program"}, nil)
	require.True(t, err != nil || r.Exit == 126 || r.Exit == 127, "%v %v", r, err)

	var many sync.WaitGroup
	for i := range 10 {
		many.Go(func() {
			r, err := s.c.Exec(ctx, id, []string{"/app", "copy"}, strings.NewReader(strconv.Itoa(i)))
			if err != nil || r.Stdout != strconv.Itoa(i) {
				t.Errorf("%v %v", r, err)
			}
		})
	}
	many.Wait()

	require.NoError(t, s.c.Stop(ctx, id, time.Second))
	_, err = s.c.Exec(ctx, id, odd, nil)
	require.ErrorIs(t, err, engine.Conflict, "the container is not running")
	require.NoError(t, s.c.Remove(ctx, id))
	_, err = s.c.Exec(ctx, id, odd, nil)
	require.ErrorIs(t, err, engine.NotFound)
}

func (s *suite) once(t *testing.T) {
	ctx := t.Context()
	spec := engine.Spec{Image: s.App, Name: "suite-once", Labels: map[string]string{label: "once"}, Command: []string{"copy"}, Restart: engine.Always}
	for _, stdin := range []string{"", "some text"} {
		r, err := s.c.RunOnce(ctx, spec, strings.NewReader(stdin))
		require.NoError(t, err)
		require.Equal(t, engine.Result{Stdout: stdin, Stderr: "copied", Exit: 3}, r)
	}
	r, err := s.c.RunOnce(ctx, spec, nil)
	require.NoError(t, err)
	require.Equal(t, engine.Result{Stderr: "copied", Exit: 3}, r)
	_, err = s.c.Inspect(ctx, "suite-once")
	require.ErrorIs(t, err, engine.NotFound)

	spec.Command = []string{"stubborn"}
	short, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	_, err = s.c.RunOnce(short, spec, nil)
	require.ErrorIs(t, err, engine.Stopped)
	_, err = s.c.Inspect(ctx, "suite-once")
	require.ErrorIs(t, err, engine.NotFound, "the container is removed even after an error")
}

func (s *suite) logs(t *testing.T) {
	ctx := t.Context()
	id := s.run(t, engine.Spec{LogDriver: "local"})
	var out, problems bytes.Buffer
	waitSoon(t, func() bool {
		out.Reset()
		problems.Reset()
		require.NoError(t, s.c.Logs(ctx, id, -1, false, &out, &problems))
		return out.String() == "serving\n" && problems.String() == "careful\n"
	}, "its logs do not come")

	followed := make(chan error, 1)
	var all bytes.Buffer
	go func() { followed <- s.c.Logs(ctx, id, -1, true, &all, io.Discard) }()
	require.NoError(t, s.c.Stop(ctx, id, 5*time.Second))
	require.NoError(t, <-followed)
	require.Equal(t, "serving\nbye\n", all.String())
	out.Reset()
	require.NoError(t, s.c.Logs(ctx, id, 1, false, &out, &out))
	require.Equal(t, "bye\n", out.String(), "the last line")
	require.ErrorIs(t, s.c.Logs(ctx, "nobody", 1, false, &out, &out), engine.NotFound)

	id = s.run(t, engine.Spec{})
	until, stop := context.WithCancel(ctx)
	go func() { followed <- s.c.Logs(until, id, 0, true, io.Discard, io.Discard) }()
	time.AfterFunc(50*time.Millisecond, stop)
	require.ErrorIs(t, <-followed, engine.Stopped)
}

func get(address string) string {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get("http://" + address)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

var loopback = netip.MustParseAddr("127.0.0.1")

// published returns the address of a container's port on this machine.
func (s *suite) published(t *testing.T, id string) string {
	t.Helper()
	c := s.inspect(t, id)
	require.Len(t, c.Published, 1)
	require.Equal(t, loopback, c.Published[0].Address)
	require.EqualValues(t, Port, c.Published[0].Target)
	return netip.AddrPortFrom(loopback, c.Published[0].Port).String()
}

func (s *suite) networks(t *testing.T) {
	ctx := t.Context()
	name := s.network(t)
	require.NoError(t, s.c.EnsureNetwork(ctx, name, nil), "the network exists")
	all, err := s.hand.NetworkList(ctx, client.NetworkListOptions{Filters: client.Filters{}.Add("label", label)})
	require.NoError(t, err)
	require.Len(t, all.Items, 1, "the labels do not change")
	require.Equal(t, name, all.Items[0].Name)

	front := s.run(t, engine.Spec{Env: []string{"NAME=front"}, Network: name, Publish: []engine.Publish{{Address: loopback, Target: Port}}})
	back := s.run(t, engine.Spec{Name: "suite-back", Env: []string{"NAME=back"}, Network: name, Aliases: []string{"release-1"}})
	require.Contains(t, s.inspect(t, back).Networks[name].Aliases, "release-1")
	ask := func() bool { return get(s.published(t, front)+"/ask?host=release-1:8080") == "I am back" }
	waitSoon(t, ask, "an alias leads nowhere")
	Rename(t, s.Dial, back, "suite-renamed")
	waitSoon(t, ask, "an alias does not survive another name")
	require.NoError(t, s.c.Stop(ctx, back, time.Second))
	require.False(t, s.inspect(t, back).Networks[name].Address.IsValid())
	require.NoError(t, s.c.Start(ctx, back))
	require.True(t, s.inspect(t, back).Networks[name].Address.IsValid())
	waitSoon(t, ask, "an alias does not survive a restart")
	_, err = s.hand.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
	require.Error(t, err, "the network still has containers")

	lost := s.make(t, engine.Spec{Network: "nobody", Command: []string{"serve"}})
	require.ErrorIs(t, s.c.Start(ctx, lost), engine.NotFound)
	require.NoError(t, s.c.Remove(ctx, front))
	require.NoError(t, s.c.Remove(ctx, back))
}

func (s *suite) ports(t *testing.T) {
	ctx := t.Context()
	name := s.network(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	number := uint16(taken.Addr().(*net.TCPAddr).Port)
	spec := engine.Spec{Env: []string{"NAME=first"}, Command: []string{"serve"}, Network: name, Publish: []engine.Publish{{Address: loopback, Port: number, Target: Port}}}
	id := s.make(t, spec)
	require.ErrorIs(t, s.c.Start(ctx, id), engine.PortTaken, "another program uses the port")
	require.NoError(t, taken.Close())
	require.NoError(t, s.c.Start(ctx, id))
	waitSoon(t, func() bool { return get(s.published(t, id)) == "I am first" }, "the port leads nowhere")
	require.Equal(t, taken.Addr().String(), s.published(t, id))
	second := s.make(t, spec)
	require.ErrorIs(t, s.c.Start(ctx, second), engine.PortTaken, "another container uses the port")
	require.NoError(t, s.c.Remove(ctx, id))
	require.NoError(t, s.c.Start(ctx, second))
	require.NoError(t, s.c.Remove(ctx, second))
}

func (s *suite) volumes(t *testing.T) {
	ctx := t.Context()
	for _, v := range []engine.Volume{
		{Name: "suite-disk", Labels: map[string]string{label: "yes"}},
		{Name: "suite-memory", Labels: map[string]string{label: "yes"}, Memory: true, Size: 1 << 20},
	} {
		t.Run(v.Name, func(t *testing.T) {
			require.NoError(t, s.c.EnsureVolume(ctx, v))
			require.NoError(t, s.c.EnsureVolume(ctx, v), "the volume exists")
			all, err := s.hand.VolumeList(ctx, client.VolumeListOptions{Filters: client.Filters{}.Add("label", label)})
			require.NoError(t, err)
			require.Len(t, all.Items, 1)
			require.Equal(t, v.Name, all.Items[0].Name)
			require.Equal(t, v.Labels, all.Items[0].Labels)
			found, err := s.c.Volumes(ctx, label+"=yes")
			require.NoError(t, err)
			require.Equal(t, []engine.Volume{{Name: v.Name, Labels: v.Labels}}, found)
			found, err = s.c.Volumes(ctx, label+"=no")
			require.NoError(t, err)
			require.Empty(t, found)

			writer := s.run(t, engine.Spec{Mounts: []engine.Mount{{Volume: v.Name, Target: "/run/secrets"}}})
			r, err := s.c.Exec(ctx, writer, []string{"/app", "write", "/run/secrets/KEY"}, strings.NewReader("secret"))
			require.NoError(t, err)
			require.Zero(t, r.Exit, r.Stderr)
			mounts := []engine.Mount{{Volume: v.Name, Target: "/elsewhere", ReadOnly: true}}
			reader := s.run(t, engine.Spec{Mounts: mounts})
			require.Equal(t, mounts, s.inspect(t, reader).Mounts)
			reads := func() string {
				r, err := s.c.Exec(ctx, reader, []string{"/app", "read", "/elsewhere/KEY"}, nil)
				require.NoError(t, err)
				return r.Stdout
			}
			require.Equal(t, "secret", reads())
			require.NoError(t, s.c.Remove(ctx, writer))
			require.Equal(t, "secret", reads(), "another container uses the volume")
			require.ErrorIs(t, s.c.RemoveVolume(ctx, v.Name), engine.Conflict)
			require.NoError(t, s.c.Stop(ctx, reader, time.Second))
			require.NoError(t, s.c.Start(ctx, reader))
			want := "secret"
			if v.Memory {
				want = ""
			}
			require.Equal(t, want, reads(), "files are lost after the last container stopped")
			require.NoError(t, s.c.Remove(ctx, reader))
			require.NoError(t, s.c.RemoveVolume(ctx, v.Name))
			require.ErrorIs(t, s.c.RemoveVolume(ctx, v.Name), engine.NotFound)
		})
	}
}

func (s *suite) ends(t *testing.T) {
	ctx := t.Context()
	id := s.run(t, engine.Spec{Command: []string{"exit", "7"}})
	waitSoon(t, func() bool { return s.inspect(t, id).State == engine.Exited }, "it does not end")
	require.Equal(t, 7, s.inspect(t, id).ExitCode)

	again := s.run(t, engine.Spec{Command: []string{"exit", "7"}, Restart: engine.UnlessStopped})
	waitSoon(t, func() bool { return s.inspect(t, again).Restarts > 1 }, "it is not started again")
	require.NoError(t, s.c.Stop(ctx, again, 0))
	waitSoon(t, func() bool { return s.inspect(t, again).State == engine.Exited }, "it goes on")

	stubborn := s.run(t, engine.Spec{Command: []string{"stubborn"}})
	waitSoon(t, func() bool {
		var out bytes.Buffer
		require.NoError(t, s.c.Logs(ctx, stubborn, -1, false, &out, &out))
		return out.String() == "stubborn\n"
	}, "it does not begin")
	began := time.Now()
	require.NoError(t, s.c.Stop(ctx, stubborn, time.Second))
	require.Greater(t, time.Since(began), 900*time.Millisecond)
	require.Equal(t, 137, s.inspect(t, stubborn).ExitCode)
}

func (s *suite) images(t *testing.T) {
	ctx := t.Context()
	id := s.run(t, engine.Spec{})
	require.NoError(t, s.c.Pull(ctx, s.Again, engine.Login{}))
	i, err := s.c.Image(ctx, s.App)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{s.App, s.Again}, i.Digests, "the image has two indexes")
	again, err := s.c.Image(ctx, s.Again)
	require.NoError(t, err)
	require.Equal(t, i.ID, again.ID)
	c := s.inspect(t, id)
	require.Equal(t, s.App, c.Image, "the container keeps its image")
	require.ErrorIs(t, s.c.RemoveImage(ctx, s.Again), engine.Conflict, "a container needs the image, whichever name is removed")
	require.ErrorIs(t, s.c.RemoveImage(ctx, s.App), engine.Conflict)
	require.NoError(t, s.c.Remove(ctx, id))
	require.NoError(t, s.c.RemoveImage(ctx, s.Again), "the other name stays")
	_, err = s.c.Image(ctx, s.App)
	require.NoError(t, err)
	_, err = s.c.Image(ctx, s.Again)
	require.ErrorIs(t, err, engine.NotFound)
	require.ErrorIs(t, s.c.RemoveImage(ctx, s.Again), engine.NotFound)
}

func (s *suite) restart(t *testing.T) {
	ctx := t.Context()
	back := s.run(t, engine.Spec{Name: "suite-back", Restart: engine.UnlessStopped})
	gate := s.run(t, engine.Spec{Name: "suite-gate", Restart: engine.Never})
	halted := s.run(t, engine.Spec{Name: "suite-halted", Restart: engine.UnlessStopped})
	require.NoError(t, s.c.Stop(ctx, halted, time.Second))
	s.Restart()
	waitSoon(t, func() bool { _, err := s.c.Ping(ctx); return err == nil }, "the engine does not come back")
	waitSoon(t, func() bool { return s.inspect(t, back).State == engine.Running }, "a container does not come back")
	require.Equal(t, s.App, s.inspect(t, back).Image)
	require.Equal(t, engine.Exited, s.inspect(t, gate).State)
	require.Equal(t, engine.Exited, s.inspect(t, halted).State)
}

func (s *suite) clean(t *testing.T) {
	ctx := t.Context()
	all, err := s.c.Containers(ctx)
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, s.c.RemoveImage(ctx, s.App))
	_, err = s.c.Image(ctx, s.App)
	require.ErrorIs(t, err, engine.NotFound)
}
