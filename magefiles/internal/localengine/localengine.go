// Package localengine stands in for a Docker engine, in this process: it answers the engine's API at a socket, as far as package engine asks
// (serve.go), and engine/enginetest wants the same of it as of dockerd. It serves tests and rehearsals.
//
// Images are given (image.go), and what a container of one runs is a function in Go (container.go), or for an exec the real sh
// (exec.go), to whose arguments volumes are folders (volume.go). Containers hear one another by aliases, and are published, on loopback
// (network.go). Each request is recorded, and may go wrong (fault.go). Streams are framed as the engine frames them (stream.go).
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

// Engine is a running stand-in.
type Engine struct {
	Socket string // a short path
	Arch   string // of the machine that it plays; set it before it is asked
	API    string // the newest version that it speaks; set it before it is asked

	// Address is the machine's: where ports are published that name none. Set it before it is asked.
	Address netip.Addr

	// Anywhere publishes each port at any free one of this machine, and shows the one that was asked for: machines of one address do not get into
	// each other's way, and a low port takes no right. Set it before it is asked.
	Anywhere bool

	// Find finds an image at a registry that was not offered, by its reference. Nil finds none. Set it before it is asked.
	Find func(ref string) (Image, bool)

	dir string

	remove func() error // of the folder of the socket

	mu         sync.Mutex
	changed    *sync.Cond // something happened to a container
	server     *http.Server
	requests   []Request
	budget     int // requests that are answered from now on; negative: all
	fault      func(Request) Fault
	logins     map[string]string // user and password by registry
	insecure   []string          // registries that are asked without TLS
	offered    map[string]*Image // at a registry, by reference
	images     map[string]*Image // pulled, by ID
	containers map[string]*Container
	execs      map[string]*execution
	networks   map[string]*networkOf
	volumes    map[string]*volumeOf
	taken      map[net.Conn]bool // connections of streams
	numbers    int
}

// Request is one that the engine was sent.
type Request struct {
	Method, Path string // without the version of the API; with its query
	Header       http.Header
	Body         string // and what was sent to a command's input
}

// Start starts an engine of amd64 that has nothing, and keeps its volumes in a folder. The caller closes it.
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

// Dial connects to the engine as engine.Dialer does.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
}

// Requests are all that it was sent.
func (e *Engine) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Request(nil), e.requests...)
}

// Close ends the engine and all that runs.
func (e *Engine) Close() error {
	e.Down()
	return e.remove()
}

// Down ends the engine, as a machine that loses power does: all containers are killed, and what was in memory is gone.
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

// Up starts an engine that is down. Containers start again by their policies.
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
		_ = c.start() // what does not start is seen by who looks
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
