package localengine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/moby/moby/api/types/network"
)

type networkOf struct {
	id     string
	name   string
	labels map[string]string
}

func (n *networkOf) shown() network.Network {
	return network.Network{Name: n.name, ID: n.id, Labels: n.labels, Driver: "bridge", Scope: "local"}
}

// network finds a network by name or ID. The caller must hold mu.
func (e *Engine) network(name string) *networkOf {
	for _, n := range e.networks {
		if n.name == name || n.id == name {
			return n
		}
	}
	return nil
}

func (e *Engine) createNetwork(w http.ResponseWriter, r *http.Request, _ string) error {
	var q network.CreateRequest
	if err := read(r, &q); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.network(q.Name) != nil {
		return says(http.StatusConflict, "network with name %s already exists", q.Name)
	}
	n := &networkOf{id: e.id(), name: q.Name, labels: q.Labels}
	e.networks[n.id] = n
	send(w, http.StatusCreated, network.CreateResponse{ID: n.id})
	return nil
}

func (e *Engine) listNetworks(w http.ResponseWriter, r *http.Request, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []network.Summary{}
	for _, id := range slices.Sorted(maps.Keys(e.networks)) {
		if n := e.networks[id]; filtered(r, n.labels) {
			all = append(all, network.Summary{Network: n.shown()})
		}
	}
	send(w, http.StatusOK, all)
	return nil
}

func (e *Engine) inspectNetwork(w http.ResponseWriter, _ *http.Request, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.network(name)
	if n == nil {
		return says(http.StatusNotFound, "network %s not found", name)
	}
	send(w, http.StatusOK, network.Inspect{Network: n.shown()})
	return nil
}

func (e *Engine) removeNetwork(w http.ResponseWriter, _ *http.Request, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.network(name)
	if n == nil {
		return says(http.StatusNotFound, "network %s not found", name)
	}
	for _, c := range e.containers {
		if c.running() && c.in(n.name) {
			return says(http.StatusForbidden, "error while removing network: network %s id %s has active endpoints", name, n.id)
		}
	}
	delete(e.networks, n.id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// port is a container's listener, on this machine's loopback.
type port struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool // nil after the container has exited
}

// keep registers a connection, so that it is closed with the container. It reports whether the container is still running.
func (p *port) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		_ = c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *port) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err == nil && !p.keep(c) {
		return nil, net.ErrClosed
	}
	return c, err
}

// cut closes the listener and all its connections, as if the process had exited.
func (p *port) cut() {
	_ = p.Close()
	p.mu.Lock()
	conns := p.conns
	p.conns = nil
	p.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
}

func listen(addr string) (*port, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &port{Listener: l, conns: map[net.Conn]bool{}}, nil
}

// Listen opens a port in the container. Other containers in its networks can reach it through Dial. Others can reach it only if it is published.
func (c *Container) Listen(number uint16) (net.Listener, error) {
	p, err := listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if !c.running() || c.ports[number] != nil {
		p.cut()
		return nil, fmt.Errorf("cannot listen on port %d", number)
	}
	c.ports[number] = p
	return p, nil
}

// Resolve maps HOST:PORT, as seen in the container, to an address on this machine. HOST is an alias, name or ID in one of its networks, or
// localhost.
func (c *Container) Resolve(address string) (string, error) {
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return "", err
	}
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	var at *Container
	for _, other := range c.engine.containers {
		if !other.running() {
			continue
		}
		if other == c && (host == "localhost" || host == "127.0.0.1") || c.hears(other) && (other.called(host) || other.address.String() == host) {
			at = other
		}
	}
	if at == nil {
		return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	p := at.ports[uint16(n)]
	if p == nil {
		return "", fmt.Errorf("dial tcp %s: connect: connection refused", address)
	}
	return p.Addr().String(), nil
}

// Dial connects to HOST:PORT from inside the container.
func (c *Container) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := c.Resolve(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", at)
}

// `in` reports whether the container is in a network.
func (c *Container) in(name string) bool {
	return slices.Contains(slices.Collect(maps.Keys(c.endpoints)), name)
}

func (c *Container) hears(other *Container) bool {
	for name := range c.endpoints {
		if other.in(name) {
			return true
		}
	}
	return false
}

func (c *Container) called(host string) bool {
	for _, e := range c.endpoints {
		if slices.Contains(e.Aliases, host) {
			return true
		}
	}
	return c.name == host || c.ID[:12] == host
}

// publish binds the container's published ports. The caller must hold mu.
func (c *Container) publish() error {
	for target, bindings := range c.host.PortBindings {
		for _, b := range bindings {
			ip := b.HostIP
			if !ip.IsValid() || ip.IsUnspecified() {
				ip = c.engine.Address
			}
			number := b.HostPort
			if number == "" {
				number = "0"
			}
			at := number
			if c.engine.Anywhere {
				at = "0"
			}
			p, err := listen(net.JoinHostPort(ip.String(), at))
			if err != nil {
				c.unpublish()
				return says(http.StatusInternalServerError, "driver failed programming external connectivity on endpoint %s: Error starting userland proxy: %v", c.name, err)
			}
			is := p.Addr().(*net.TCPAddr)
			if number == "0" || !c.engine.Anywhere {
				number = strconv.Itoa(is.Port)
			}
			c.published = append(c.published, p)
			c.bound[target] = append(c.bound[target], network.PortBinding{HostIP: is.AddrPort().Addr(), HostPort: number})
			c.at[number] = is.AddrPort()
			go c.forward(p, target.Num())
		}
	}
	return nil
}

// unpublish releases the published ports. The caller must hold mu.
func (c *Container) unpublish() {
	for _, p := range c.published {
		p.cut()
	}
	c.published, c.bound, c.at = nil, network.PortMap{}, map[string]netip.AddrPort{}
}

// Published returns the listening address for a published port, and whether a container has published it.
func (e *Engine) Published(number int) (at netip.AddrPort, there bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if at, there := c.at[strconv.Itoa(number)]; there {
			return at, true
		}
	}
	return netip.AddrPort{}, false
}

// `forward` forwards connections to a published port, like docker-proxy.
func (c *Container) forward(p *port, target uint16) {
	for {
		from, err := p.Accept()
		if err != nil {
			return
		}
		go func() {
			defer from.Close()
			c.engine.mu.Lock()
			there := c.ports[target]
			c.engine.mu.Unlock()
			if there == nil {
				return
			}
			to, err := net.Dial("tcp", there.Addr().String())
			if err != nil {
				return
			}
			defer to.Close()
			join(from, to)
		}()
	}
}

// join copies in both directions until both have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			if half, ok := way[1].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}
