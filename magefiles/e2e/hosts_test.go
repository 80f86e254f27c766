package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/host/hosttest"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// machines holds real hosts. Each runs OpenSSH's server, Docker's engine and, once it is set up, Caddy.
type machines struct {
	t      *testing.T
	names  []string
	at     []netip.Addr // address of each host's published ports
	engine []*dockerdtest.Engine
	sshd   []*hosttest.Sshd
	port   int    // published port
	config string // path of the ssh configuration
}

// startMachines starts hosts. If megabytes is not 0, the disk of each host is a RAM disk of that size.
func startMachines(t *testing.T, hosts, megabytes int) *machines {
	t.Helper()
	m := &machines{t: t}
	reached := map[string]*hosttest.Sshd{}
	for n := range hosts {
		name, at := fmt.Sprintf("vm%d", n+1), netip.AddrFrom4([4]byte{127, 0, 2, byte(n + 1)})
		e := dockerdtest.StartAt(t, at, megabytes)
		reached[name] = hosttest.StartSshd(t, at, e.Socket)
		m.names, m.at, m.engine, m.sshd = append(m.names, name), append(m.at, at), append(m.engine, e), append(m.sshd, reached[name])
	}
	m.config = hosttest.Config(t, reached)
	l, err := net.Listen("tcp", net.JoinHostPort(m.at[0].String(), "0"))
	require.NoError(t, err)
	m.port = l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	return m
}

// url returns the URL of a path on a host's published port.
func (m *machines) url(host int, path string) string {
	return fmt.Sprintf("http://%s:%d%s", m.at[host], m.port, path)
}

// `up` returns the upstream to which a host forwards requests.
func (m *machines) up(host int, key string) string {
	text, _ := os.ReadFile(filepath.Join(m.engine[host].Volume(fmt.Sprintf("pixi-release-proxy-%d-state", m.port)), "env", key, "up")) // does not exist before the first deployment
	return strings.TrimSpace(string(text))
}

// `runs` returns the image of the container that serves a host's requests, as reported by the engine, or "" if no container is running.
func (m *machines) runs(host int, key string) (image string) {
	m.t.Helper()
	alias, _, _ := strings.Cut(m.up(host, key), ":")
	client := engine.New(m.engine[host].Dial)
	defer client.Close()
	all, err := client.Containers(m.t.Context(), "pixi-release.release")
	require.NoError(m.t, err)
	for _, c := range all {
		for _, network := range c.Networks {
			if c.State == engine.Running && slices.Contains(network.Aliases, alias) {
				return c.Image
			}
		}
	}
	return ""
}

// fleet holds machines with the test application (deploytest), and an operator who deploys it.
type fleet struct {
	*machines

	registry *dockerdtest.Registry
	program  []byte
	root     string // the operator's clone
	env      []string
	drain    time.Duration // how long old sockets are kept open
}

const (
	fleetSecret   = "a-secret-value-of-some-length"
	fleetPassword = "the-password-of-a-registry"
)

// startFleet starts machines and makes a repository with an application for them.
func startFleet(t *testing.T, hosts, megabytes int) *fleet {
	t.Helper()
	w := &fleet{machines: startMachines(t, hosts, megabytes), root: filepath.Join(t.TempDir(), "repo"), drain: 4 * time.Second}
	w.registry = dockerdtest.StartRegistry(t, "jane", fleetPassword)
	w.program = dockerdtest.Build(t, "github.com/foopack/foopack/magefiles/internal/deploy/deploytest")
	caddy := w.registry.Push(t, "caddy", "amd64", "", proxytest.Image(t))
	deployedRepo(t, w.root, w.registry.Host+"/team", fmt.Sprintf("hosts = [\"%s\"]\nport = %d\ngate = \"5s\"\nwatch = \"2s\"\ndrain = \"%s\"\nstop_grace_period = \"2s\"\ndisk = \"10m\"\n"+
		"proxy = %q\nssh_config = %q\nsecrets.TOKEN = \"TOKEN\"\n", strings.Join(w.names, `", "`), w.port, w.drain, caddy, w.config))
	docker := t.TempDir()
	write(t, docker, "config.json", fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, w.registry.Host, base64.StdEncoding.EncodeToString([]byte("jane:"+fleetPassword))))
	short, err := os.MkdirTemp("", "op") // a killed run leaves its forwarded sockets here
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	w.env = append(os.Environ(), "HOME="+t.TempDir(), "TMPDIR="+short, "TOKEN="+fleetSecret, "DOCKER_CONFIG="+docker, "PATH="+compiled+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+os.DevNull)
	return w
}

// deployedRepo makes a repository with a downstream named app, whose environment staging has the given table.
func deployedRepo(t *testing.T, root, registry, table string) {
	t.Helper()
	require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Join(repo, "magefiles", "e2e", "testdata", "repos", "mono"))))
	write(t, root, "app/pixi.toml", "[workspace]\nname = \"app\"\nversion = \"1.0.0\"\nchannels = [\"https://prefix.dev/mono\", \"https://prefix.dev/conda-forge\"]\nplatforms = [\"linux-64\"]\n"+
		"[dependencies]\nbase-lib = \"==1.2.0\"\n[tool.image]\nregistry = \""+registry+"\"\nplatforms = [\"linux/amd64\"]\n[tool.deploy.staging]\n"+table)
	write(t, root, "app/Dockerfile", "FROM scratch\n")
	git(t, root, "init", "-q", "-b", "main")
	git(t, root, "add", "-A")
	git(t, root, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first")
}

// `elsewhere` returns another operator with their own clone, which has no record of the first operator's deployments.
func (w *fleet) elsewhere() *fleet {
	w.t.Helper()
	other := *w
	other.root = filepath.Join(w.t.TempDir(), "repo")
	git(w.t, w.root, "clone", "-q", w.root, other.root)
	return &other
}

// push pushes an image of the application to the registry and returns REPOSITORY@sha256:….
func (w *fleet) push(revision string, env ...string) (ref string) {
	w.t.Helper()
	return w.registry.Push(w.t, "team/app", "amd64", revision, w.image(revision, "amd64", env...))
}

func (w *fleet) image(revision, arch string, env ...string) v1.Image {
	w.t.Helper()
	return dockerdtest.Image(w.t, w.program, arch, v1.Config{
		Entrypoint:   []string{"/app"},
		Env:          append(env, "REVISION="+revision),
		ExposedPorts: map[string]struct{}{"5006/tcp": {}},
		User:         "1000",
		Labels:       labelsOf(revision),
	})
}

// labelsOf returns the labels that mark an image as one of our builds.
func labelsOf(revision string) map[string]string {
	return map[string]string{"org.opencontainers.image.revision": revision, "org.opencontainers.image.title": "app", "io.github.foopack.plan": "of a test"}
}

// process is a running instance of the compiled program, in its own process group.
type process struct {
	t    *testing.T
	x    *exec.Cmd
	over chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(text)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start starts a target.
func (w *fleet) start(args ...string) *process {
	w.t.Helper()
	return begin(w.t, w.root, w.env, args...)
}

// begin starts a target in a clone. If the test fails before the target ends, the output is logged.
func begin(t *testing.T, root string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, x: exec.Command(filepath.Join(compiled, "targets"), args...), over: make(chan struct{})}
	p.x.Dir, p.x.Env, p.x.Stdout, p.x.Stderr = root, env, p, p
	p.x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, p.x.Start())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v: %s", args, p.said())
		}
		select {
		case <-p.over:
		default:
			p.signal(syscall.SIGKILL)
			<-p.over
		}
	})
	go func() {
		defer close(p.over)
		_ = p.x.Wait()
	}()
	return p
}

// `until` waits until the output contains a text. It returns false if the process ends first.
func (p *process) until(text string) bool {
	for {
		if strings.Contains(p.said(), text) {
			return true
		}
		select {
		case <-p.over:
			return strings.Contains(p.said(), text)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.x.Process.Pid, s) }

// end waits for the process to end.
func (p *process) end() (out string, status int) {
	p.t.Helper()
	select {
	case <-p.over:
	case <-time.After(6 * time.Minute):
		p.signal(syscall.SIGQUIT)
		<-p.over
		require.Fail(p.t, "it does not come to its end", p.said())
	}
	return p.said(), p.x.ProcessState.ExitCode()
}

func (w *fleet) mage(args ...string) (out string, status int) {
	w.t.Helper()
	return w.start(args...).end()
}

func (w *fleet) must(args ...string) string {
	w.t.Helper()
	out, status := w.mage(args...)
	require.Zero(w.t, status, "%v: %s", args, out)
	return out
}

// `to` returns the arguments of a deployment.
func to(ref string, more ...string) []string {
	_, digest, _ := strings.Cut(ref, "@")
	return append([]string{"deploy:to", "staging", "-digest=" + digest, "-yes"}, more...)
}

// `fails` deploys an unhealthy image and checks that every host still runs ref.
func (w *fleet) fails(bad, ref string) string {
	w.t.Helper()
	out, status := w.mage(to(bad)...)
	require.Equal(w.t, 1, status, out)
	require.Contains(w.t, out, "every host runs what it ran before")
	w.settled(ref)
	return out
}

const fleetKey = "app.staging"

// settled checks that all hosts run the image, that it is healthy and has its secret, and that deployments have left nothing behind.
func (w *fleet) settled(ref string) {
	w.t.Helper()
	var said struct {
		Environments []struct {
			Hosts []struct {
				Host, Trouble string
				Running       *struct {
					Image   string
					Healthy bool
				}
				Drift  []string
				Holder any
			}
		}
	}
	p := w.start("deploy:status", "-json")
	text, status := p.end()
	require.Zero(w.t, status, text)
	require.NoError(w.t, json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &said), text)
	for n, h := range said.Environments[0].Hosts {
		require.Empty(w.t, h.Trouble)
		require.NotNil(w.t, h.Running, text)
		require.Equal(w.t, ref, h.Running.Image, h.Host)
		require.True(w.t, h.Running.Healthy, h.Host)
		require.Empty(w.t, h.Drift, h.Host)
		require.Nil(w.t, h.Holder, h.Host)
		require.Equal(w.t, ref, w.runs(n, fleetKey), h.Host)
		secret, err := w.get(fresh(), n, "/secret/TOKEN")
		require.NoError(w.t, err, h.Host)
		require.Equal(w.t, fleetSecret, secret)
	}
}

// get requests a path from a host's published port.
func (w *fleet) get(c *http.Client, host int, path string) (string, error) {
	r, err := c.Get(w.url(host, path))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", r.StatusCode, text)
	}
	return string(text), err
}

func fresh() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// `once` sends requests over kept-alive connections in a way that Go's HTTP client cannot retry: the body can be read only once.
type once struct{ http.Transport }

func (o *once) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Method, q.Body, q.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader("x")), 1
	return o.Transport.RoundTrip(q)
}

// load sends requests to all hosts in the background.
type load struct {
	w     *fleet
	stop  chan struct{}
	over  sync.WaitGroup
	kinds map[string]*atomic.Int64

	mu     sync.Mutex
	failed []string
}

// ask starts requesting a page, a file and the health path from all hosts, over both new and kept-alive connections.
func (w *fleet) ask(pause time.Duration) *load {
	l := &load{w: w, stop: make(chan struct{}), kinds: map[string]*atomic.Int64{}}
	for _, path := range []string{"/", "/file", "/healthz"} {
		for kind, client := range map[string]func() *http.Client{
			"fresh": fresh,
			"kept":  func() *http.Client { return &http.Client{Timeout: 20 * time.Second, Transport: &once{}} },
		} {
			count := &atomic.Int64{}
			l.kinds[kind+" "+path] = count
			for host := range w.names {
				c := client()
				l.over.Go(func() {
					for {
						select {
						case <-l.stop:
							return
						case <-time.After(pause):
						}
						if _, err := w.get(c, host, path); err != nil {
							l.mu.Lock()
							l.failed = append(l.failed, fmt.Sprintf("%s %s of %s: %v", kind, path, w.names[host], err))
							l.mu.Unlock()
						}
						count.Add(1)
					}
				})
			}
		}
	}
	return l
}

// `least` returns the number of requests of the kind that has had the fewest so far.
func (l *load) least() int64 {
	least := int64(1 << 62)
	for _, count := range l.kinds {
		least = min(least, count.Load())
	}
	return least
}

// end stops the requests and checks that none has failed.
func (l *load) end() {
	l.w.t.Helper()
	close(l.stop)
	l.over.Wait()
	sum := int64(0)
	for _, count := range l.kinds {
		sum += count.Load()
	}
	l.w.t.Logf("%d requests, at least %d of each of %d kinds; %d failed", sum, l.least(), len(l.kinds), len(l.failed))
	require.Empty(l.w.t, l.failed)
}

// socket is an open connection to a release, with the time at which it was closed.
type socket struct {
	conn  net.Conn
	over  chan struct{}
	ended atomic.Pointer[time.Time]
}

// `open` opens sockets to the hosts in turn and keeps sending data over each of them.
func (w *fleet) open(sockets int) (all []*socket) {
	w.t.Helper()
	for n := range sockets {
		conn, err := net.Dial("tcp", netip.AddrPortFrom(w.at[n%len(w.at)], uint16(w.port)).String())
		require.NoError(w.t, err)
		_, err = io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		require.NoError(w.t, err)
		read := bufio.NewReader(conn)
		answer, err := http.ReadResponse(read, nil)
		require.NoError(w.t, err)
		require.Equal(w.t, http.StatusSwitchingProtocols, answer.StatusCode)
		s := &socket{conn: conn, over: make(chan struct{})}
		go func() {
			defer close(s.over)
			for {
				_, err := io.WriteString(conn, "hello\n")
				if err == nil {
					_, err = read.ReadString('\n')
				}
				if err != nil {
					now := time.Now()
					s.ended.Store(&now)
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		all = append(all, s)
	}
	return all
}

// cut returns the time at which the first socket was closed, or the zero time if no socket was closed.
func cut(all []*socket) (first time.Time) {
	for _, s := range all {
		if at := s.ended.Load(); at != nil && (first.IsZero() || at.Before(first)) {
			first = *at
		}
	}
	return first
}

func end(all []*socket) {
	for _, s := range all {
		_ = s.conn.Close()
		<-s.over
	}
}

// secretless checks that the secrets do not appear in the clone, in the command lines that ran here, or in the containers, images and volumes that
// the engines list.
func (w *fleet) secretless() {
	w.t.Helper()
	for _, secret := range []string{fleetSecret, fleetPassword} {
		found, err := exec.Command("grep", "-rlF", "--", secret, w.root, argv()).CombinedOutput()
		var exit *exec.ExitError
		require.True(w.t, errors.As(err, &exit) && exit.ExitCode() == 1, "the secret is in %s (%v)", found, err)
	}
	for n, e := range w.engine {
		client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.Dial(ctx) }, DisableKeepAlives: true}}
		read := func(path string) string {
			r, err := client.Get("http://engine" + path)
			require.NoError(w.t, err)
			defer r.Body.Close()
			text, err := io.ReadAll(r.Body)
			require.NoError(w.t, err)
			return string(text)
		}
		var ids []struct{ ID string }
		require.NoError(w.t, json.Unmarshal([]byte(read("/containers/json?all=1")), &ids))
		shown := read("/volumes") + read("/images/json")
		for _, c := range ids {
			shown += read("/containers/"+c.ID+"/json") + read("/containers/"+c.ID+"/logs?stdout=1&stderr=1")
		}
		require.NotContains(w.t, shown, fleetSecret, w.names[n])
		require.NotContains(w.t, shown, fleetPassword, w.names[n])
	}
}
