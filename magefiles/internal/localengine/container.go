package localengine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
)

// Container is a container, from the perspective of the program in it.
type Container struct {
	ID      string
	Labels  map[string]string
	Env     []string // environment from the image and from the request that created the container
	Command []string // entrypoint and command
	User    string
	Stdin   io.Reader // input from an attached client; empty if there is none
	Stdout  io.Writer // the log
	Stderr  io.Writer

	engine    *Engine
	name      string
	ref       string // image reference, as requested
	imageID   string
	image     *Image
	host      *container.HostConfig
	config    *container.Config
	endpoints map[string]*network.EndpointSettings

	// The fields below are guarded by the engine's mu.
	state     container.ContainerState
	health    container.HealthStatus
	failures  int
	exit      int
	restarts  int
	created   time.Time
	started   time.Time
	finished  time.Time
	stopped   bool // stopped by a user, so "unless-stopped" does not restart it
	ran       bool // has been started before
	address   netip.Addr
	ports     map[uint16]*port
	published []*port
	bound     network.PortMap
	at        map[string]netip.AddrPort // listening address of each published port
	log       []chunk
	terminate context.CancelFunc // SIGTERM
	kill      func()             // SIGKILL
	stdin     *io.PipeWriter
}

// chunk is a piece of a log.
type chunk struct {
	stream byte
	text   []byte
}

type logWriter struct {
	c      *Container
	stream byte
}

func (l logWriter) Write(p []byte) (int, error) {
	l.c.engine.mu.Lock()
	defer l.c.engine.mu.Unlock()
	l.c.log = append(l.c.log, chunk{stream: l.stream, text: bytes.Clone(p)})
	l.c.engine.changed.Broadcast()
	return len(p), nil
}

// Getenv returns the value of a variable in the container's environment.
func (c *Container) Getenv(name string) string {
	for _, kv := range slices.Backward(c.Env) {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// Ref returns the reference of the container's image, as requested.
func (c *Container) Ref() string { return c.ref }

// Path maps a path in one of the container's volumes to the real path. Other paths are returned unchanged.
func (c *Container) Path(p string) string {
	for _, m := range c.host.Mounts {
		if rest, ok := strings.CutPrefix(p, m.Target); ok && (rest == "" || rest[0] == '/') {
			return path.Join(c.engine.Volume(m.Source), rest)
		}
	}
	return p
}

func (c *Container) policy() container.RestartPolicyMode { return c.host.RestartPolicy.Name }

func (c *Container) running() bool { return c.state == container.StateRunning }

// id returns a new ID. The caller must hold mu.
func (e *Engine) id() string {
	e.numbers++
	return fmt.Sprintf("%x", sha256.Sum256([]byte(e.Socket+strconv.Itoa(e.numbers))))
}

// container finds a container by ID, ID prefix, or name.
func (e *Engine) container(name string) *Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if c.name == strings.TrimPrefix(name, "/") || len(name) >= 12 && strings.HasPrefix(c.ID, name) {
			return c
		}
	}
	return nil
}

func (e *Engine) createContainer(w http.ResponseWriter, r *http.Request, _ string) error {
	q := container.CreateRequest{Config: &container.Config{}, HostConfig: &container.HostConfig{}}
	if err := read(r, &q); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.image(q.Image)
	if i == nil {
		return says(http.StatusNotFound, "No such image: %s", q.Image)
	}
	name := r.URL.Query().Get("name")
	for _, c := range e.containers {
		if name != "" && c.name == name {
			return says(http.StatusConflict, "Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.", "/"+name, c.ID)
		}
	}
	for _, m := range q.HostConfig.Mounts {
		if m.Type != mount.TypeVolume {
			return says(http.StatusBadRequest, "the stand-in supports only volumes, not %s", m.Type)
		}
		if _, err := e.ensureVolume(m.Source, nil, nil); err != nil {
			return err
		}
	}
	c := &Container{
		ID:        e.id(),
		Labels:    map[string]string{},
		Env:       slices.Concat(i.Env, q.Env),
		Command:   slices.Concat(q.Entrypoint, q.Cmd),
		User:      q.User,
		engine:    e,
		name:      name,
		ref:       q.Image,
		imageID:   i.ID,
		image:     i,
		host:      q.HostConfig,
		config:    q.Config,
		endpoints: map[string]*network.EndpointSettings{},
		state:     container.StateCreated,
		created:   time.Now(),
		bound:     network.PortMap{},
		at:        map[string]netip.AddrPort{},
	}
	if name == "" {
		c.name = "c" + c.ID[:12]
	}
	if c.User == "" {
		c.User = i.User
	}
	if c.policy() == "" {
		c.host.RestartPolicy.Name = container.RestartPolicyDisabled
	}
	maps.Copy(c.Labels, i.Labels)
	maps.Copy(c.Labels, q.Labels)
	if n := q.HostConfig.NetworkMode; n != "" {
		c.endpoints[string(n)] = &network.EndpointSettings{}
	}
	if q.NetworkingConfig != nil {
		maps.Copy(c.endpoints, q.NetworkingConfig.EndpointsConfig)
	}
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(""), logWriter{c: c, stream: stdout}, logWriter{c: c, stream: stderr}
	if q.OpenStdin {
		c.Stdin, c.stdin = io.Pipe()
	}
	e.containers[c.ID] = c
	send(w, http.StatusCreated, container.CreateResponse{ID: c.ID, Warnings: []string{}})
	return nil
}

// start starts the program.
func (c *Container) start() error {
	e := c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.running() {
		return says(http.StatusNotModified, "")
	}
	for name := range c.endpoints {
		if e.network(name) == nil && name != "default" && name != "bridge" && name != "host" && name != "none" {
			return says(http.StatusNotFound, "network %s not found", name)
		}
	}
	c.ports, c.exit = map[uint16]*port{}, 0
	if err := c.publish(); err != nil {
		c.exit, c.finished = 128, time.Now()
		return err
	}
	e.numbers++
	c.address = netip.AddrFrom4([4]byte{172, 18, byte(e.numbers >> 8), byte(e.numbers)})
	ctx, terminate := context.WithCancel(context.Background())
	killed := make(chan struct{})
	c.state, c.started, c.terminate, c.kill, c.stopped, c.ran = container.StateRunning, time.Now(), terminate, sync.OnceFunc(func() { close(killed) }), false, true
	c.health, c.failures = "", 0
	if c.image.Check != nil {
		c.health = container.Starting
		go c.check(ctx)
	}
	program := c.image.Program
	if program == nil {
		program = func(ctx context.Context, _ *Container) int { <-ctx.Done(); return 143 }
	}
	exit := make(chan int, 1)
	go func() { exit <- program(ctx, c) }()
	go func() {
		code := 137
		select {
		case code = <-exit:
		case <-killed:
		}
		terminate()
		c.recordEnd(code)
	}()
	e.changed.Broadcast()
	return nil
}

// recordEnd records the program's exit, and restarts it according to its policy.
func (c *Container) recordEnd(code int) {
	e := c.engine
	e.mu.Lock()
	for _, p := range c.ports {
		p.cut()
	}
	c.unpublish()
	c.ports, c.address = nil, netip.Addr{}
	c.state, c.exit, c.finished = container.StateExited, code, time.Now()
	e.forget()
	again := e.server != nil && !c.stopped && e.containers[c.ID] == c &&
		(c.policy() == container.RestartPolicyAlways || c.policy() == container.RestartPolicyUnlessStopped)
	if again {
		c.restarts++
		c.state = container.StateRestarting
	}
	e.changed.Broadcast()
	e.mu.Unlock()
	if again {
		time.AfterFunc(20*time.Millisecond, func() {
			e.mu.Lock()
			still := c.state == container.StateRestarting && e.server != nil && e.containers[c.ID] == c
			e.mu.Unlock()
			if still {
				_ = c.start()
			}
		})
	}
}

// end stops the program with SIGTERM, followed by SIGKILL after the grace period, and waits for its exit. person is true if a user requested it.
func (c *Container) end(grace time.Duration, person bool) {
	e := c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	c.stopped = c.stopped || person
	if c.state == container.StateRestarting {
		c.state = container.StateExited
	}
	if !c.running() {
		return
	}
	c.terminate()
	kill := time.AfterFunc(grace, c.kill)
	defer kill.Stop()
	for start := c.started; c.running() && c.started.Equal(start); {
		e.changed.Wait()
	}
}

// check runs the HEALTHCHECK until the container exits.
func (c *Container) check(ctx context.Context) {
	interval, retries := c.image.Interval, c.image.Retries
	if interval == 0 {
		interval = 30 * time.Second
	}
	if retries == 0 {
		retries = 3
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		well := c.image.Check(c)
		c.engine.mu.Lock()
		switch {
		case ctx.Err() != nil:
		case well:
			c.health, c.failures = container.Healthy, 0
		default:
			if c.failures++; c.failures >= retries {
				c.health = container.Unhealthy
			}
		}
		c.engine.changed.Broadcast()
		c.engine.mu.Unlock()
	}
}

// moment formats a time like the engine.
func moment(t time.Time) string {
	if t.IsZero() {
		return "0001-01-01T00:00:00Z"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (e *Engine) inspectContainer(w http.ResponseWriter, _ *http.Request, c *Container) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	config := *c.config
	config.Labels, config.Env, config.User = c.Labels, c.Env, c.User
	shown := container.InspectResponse{
		ID:           c.ID,
		Created:      moment(c.created),
		Image:        c.imageID,
		Name:         "/" + c.name,
		RestartCount: c.restarts,
		HostConfig:   c.host,
		Config:       &config,
		State: &container.State{
			Status:     c.state,
			Running:    c.running(),
			Restarting: c.state == container.StateRestarting,
			ExitCode:   c.exit,
			StartedAt:  moment(c.started),
			FinishedAt: moment(c.finished),
		},
		NetworkSettings: &container.NetworkSettings{Ports: c.bound, Networks: map[string]*network.EndpointSettings{}},
	}
	if c.health != "" {
		shown.State.Health = &container.Health{Status: c.health, FailingStreak: c.failures}
	}
	for name, endpoint := range c.endpoints {
		clone := endpoint.Copy()
		clone.IPAddress = c.address
		clone.Aliases = append(clone.Aliases, c.ID[:12]) // as in engines before version 26
		shown.NetworkSettings.Networks[name] = clone
	}
	for _, m := range c.host.Mounts {
		shown.Mounts = append(shown.Mounts, container.MountPoint{Type: m.Type, Name: m.Source, Source: e.Volume(m.Source), Destination: m.Target, RW: !m.ReadOnly})
	}
	send(w, http.StatusOK, shown)
	return nil
}

func (e *Engine) listContainers(w http.ResponseWriter, r *http.Request, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []container.Summary{}
	for _, c := range e.containers {
		if (c.running() || r.URL.Query().Get("all") == "1") && filtered(r, c.Labels) {
			all = append(all, container.Summary{ID: c.ID, Names: []string{"/" + c.name}, Image: c.ref, ImageID: c.imageID, Labels: c.Labels, State: c.state})
		}
	}
	send(w, http.StatusOK, all)
	return nil
}

func (e *Engine) startContainer(w http.ResponseWriter, _ *http.Request, c *Container) error {
	if err := c.start(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) stopContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	grace := 10
	if c.config.StopTimeout != nil {
		grace = *c.config.StopTimeout
	}
	if t, err := strconv.Atoi(r.URL.Query().Get("t")); err == nil {
		grace = t
	}
	c.end(time.Duration(grace)*time.Second, true)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) waitContainer(w http.ResponseWriter, _ *http.Request, c *Container) error {
	e.mu.Lock()
	for c.running() {
		e.changed.Wait()
	}
	code := c.exit
	e.mu.Unlock()
	send(w, http.StatusOK, container.WaitResponse{StatusCode: int64(code)})
	return nil
}

func (e *Engine) renameContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	name := r.URL.Query().Get("name")
	if e.container(name) != nil {
		return says(http.StatusConflict, "Conflict. The container name %q is already in use", "/"+name)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c.name = name
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) updateContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	var q container.UpdateConfig
	if err := read(r, &q); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.RestartPolicy.Name != "" {
		c.host.RestartPolicy = q.RestartPolicy
	}
	send(w, http.StatusOK, container.UpdateResponse{Warnings: []string{}})
	return nil
}

func (e *Engine) removeContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	e.mu.Lock()
	busy := c.running()
	e.mu.Unlock()
	if busy && r.URL.Query().Get("force") != "1" {
		return says(http.StatusConflict, "You cannot remove a running container %s. Stop the container before attempting removal or force remove", c.ID)
	}
	c.end(0, true)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.containers, c.ID)
	e.changed.Broadcast()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Kill kills a container's program, like the kernel's OOM killer.
func (e *Engine) Kill(name string) {
	if c := e.container(name); c != nil {
		c.end(0, false)
	}
}

func (e *Engine) logsOfContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	q := r.URL.Query()
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := linesOf(c.log)
	if n, err := strconv.Atoi(q.Get("tail")); err == nil && n < len(lines) {
		lines = lines[len(lines)-n:]
	}
	w.Header().Set("Content-Type", "application/vnd.docker.multiplexed-stream")
	w.WriteHeader(http.StatusOK)
	var mu sync.Mutex
	write := func(chunks []chunk) {
		for _, l := range chunks {
			_, _ = framed{mu: &mu, w: w, stream: l.stream}.Write(l.text)
		}
		_ = http.NewResponseController(w).Flush()
	}
	seen := len(c.log)
	e.mu.Unlock()
	write(lines)
	e.mu.Lock()
	if q.Get("follow") != "1" {
		return nil
	}
	defer context.AfterFunc(r.Context(), e.wake)()
	c.follow(seen, func() bool { return c.running() && r.Context().Err() == nil }, write)
	return nil
}

// follow writes new log chunks until more returns false. The caller must hold mu; follow releases it while writing.
func (c *Container) follow(seen int, more func() bool, write func([]chunk)) {
	for {
		news := c.log[seen:]
		if seen = len(c.log); len(news) > 0 {
			c.engine.mu.Unlock()
			write(news)
			c.engine.mu.Lock()
			continue
		}
		if !more() {
			return
		}
		c.engine.changed.Wait()
	}
}

// wake wakes all goroutines that wait for a change.
func (e *Engine) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changed.Broadcast()
}

func linesOf(log []chunk) (lines []chunk) {
	for _, l := range log {
		for line := range bytes.Lines(l.text) {
			lines = append(lines, chunk{stream: l.stream, text: line})
		}
	}
	return lines
}

// attachContainer connects a client to a container until the container exits.
func (e *Engine) attachContainer(w http.ResponseWriter, r *http.Request, c *Container) error {
	e.mu.Lock()
	from := len(c.log) // the client may start the container immediately after the response
	e.mu.Unlock()
	conn, err := e.hijack(w)
	if err != nil {
		return err
	}
	defer e.release(conn)
	if c.stdin != nil {
		go func() {
			input, _ := io.ReadAll(conn)
			e.noteInput(r.Method, r.URL.Path, input)
			_, _ = c.stdin.Write(input)
			_ = c.stdin.Close()
		}()
	}
	var mu sync.Mutex
	e.mu.Lock()
	defer e.mu.Unlock()
	c.follow(from, func() bool { return c.state != container.StateExited && e.containers[c.ID] == c && e.server != nil }, func(chunks []chunk) {
		for _, l := range chunks {
			_, _ = framed{mu: &mu, w: conn, stream: l.stream}.Write(l.text)
		}
	})
	return nil
}
