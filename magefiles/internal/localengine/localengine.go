// Package localengine is an in-process stand-in for a Docker engine, for tests and rehearsals. It serves the parts of the engine's API that package
// engine uses on a socket (serve.go), and passes the same tests as dockerd, in engine/enginetest.
//
// The caller offers images (image.go). A container runs a Go function (container.go). An exec runs the real sh (exec.go), with volume paths in its
// arguments replaced by real folders (volume.go). Containers can reach each other by alias, and ports are published, on loopback (network.go).
// Requests are recorded and can be made to fail (fault.go). Streams use the engine's framing (stream.go).
package localengine

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
)

// Engine is a running stand-in for an engine.
type Engine struct {
	Socket string // a short path
	Arch   string // the machine's architecture; must be set before the first request
	API    string // newest supported API version; must be set before the first request

	// Address is the machine's address, on which ports are published by default. It must be set before the first request.
	Address netip.Addr

	// Anywhere publishes each port on an arbitrary free port of this machine, but reports the requested number. So several engines can share an
	// address, and low ports need no privileges. It must be set before the first request.
	Anywhere bool

	// Find looks up an image that was not offered, by its reference. A nil Find finds none. It must be set before the first request.
	Find func(ref string) (Image, bool)

	dir string

	remove func() error // removes the socket's folder

	mu         sync.Mutex
	changed    *sync.Cond // signals any change of a container
	server     *http.Server
	requests   []Request
	budget     int // number of requests left; negative means no limit
	fault      func(Request) Fault
	logins     map[string]string // user and password by registry
	insecure   []string          // registries accessed without TLS
	offered    map[string]*Image // images at registries, by reference
	images     map[string]*Image // pulled images, by ID
	containers map[string]*Container
	execs      map[string]*execution
	networks   map[string]*networkOf
	volumes    map[string]*volumeOf
	taken      map[net.Conn]bool // hijacked connections
	numbers    int
}

// Request is a recorded request.
type Request struct {
	Method, Path string // Path includes the query, but not the API version
	Header       http.Header
	Body         string // or the input of a command
}

// Start starts an empty amd64 engine that stores its volumes in dir. The caller must close it.
func Start(dir string) (*Engine, error) {
	short, remove, err := scratch.Make("", "le-")
	if err != nil {
		return nil, err
	}
	e := &Engine{
		Socket:     filepath.Join(short, "s"),
		Arch:       "amd64",
		API:        "1.41",
		Address:    netip.MustParseAddr("127.0.0.1"),
		dir:        dir,
		remove:     remove,
		budget:     -1,
		logins:     map[string]string{},
		offered:    map[string]*Image{},
		images:     map[string]*Image{},
		containers: map[string]*Container{},
		execs:      map[string]*execution{},
		networks:   map[string]*networkOf{},
		volumes:    map[string]*volumeOf{},
		taken:      map[net.Conn]bool{},
	}
	e.changed = sync.NewCond(&e.mu)
	return e, e.up()
}

// Dial connects to the engine. It is an engine.Dialer.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
}

// Requests returns all recorded requests.
func (e *Engine) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Request(nil), e.requests...)
}

// Close stops the engine and all containers.
func (e *Engine) Close() error {
	e.Down()
	return e.remove()
}

// Down stops the engine as if its machine lost power: all containers are killed, and in-memory volumes are emptied.
func (e *Engine) Down() {
	e.mu.Lock()
	server := e.server
	e.server = nil
	var running []*Container
	for _, c := range e.containers {
		running = append(running, c)
	}
	for conn := range e.taken {
		_ = conn.Close()
	}
	e.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
	for _, c := range running {
		c.end(0, false)
	}
}

// Up starts an engine after Down. Containers are restarted according to their policies.
func (e *Engine) Up() error {
	if err := e.up(); err != nil {
		return err
	}
	e.mu.Lock()
	var again []*Container
	for _, c := range e.containers {
		if c.policy() == "always" || c.policy() == "unless-stopped" && !c.stopped && c.ran {
			again = append(again, c)
		}
	}
	e.mu.Unlock()
	for _, c := range again {
		_ = c.start() // a failure is visible in the container's state
	}
	return nil
}

func (e *Engine) up() error {
	_ = os.Remove(e.Socket)
	listener, err := net.Listen("unix", e.Socket)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(e.serve), ReadHeaderTimeout: time.Minute}
	e.mu.Lock()
	e.server = server
	e.mu.Unlock()
	go func() { _ = server.Serve(listener) }()
	return nil
}
