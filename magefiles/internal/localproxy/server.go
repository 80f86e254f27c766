package localproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is a running proxy.
type Server struct {
	Listen func(address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Path   func(path string) string // maps a path in the container to the real path

	mu      sync.Mutex
	text    []byte
	config  config
	servers map[string]*http.Server // by listening address
	open    map[string]int          // number of unfinished requests, by upstream
	sockets map[*http.Request]socket
}

// socket is an open socket.
type socket struct {
	end   func()
	delay time.Duration // how long it remains open after a reload
}

type config struct {
	Admin struct {
		Listen string `json:"listen"`
		Config struct {
			Persist bool `json:"persist"`
		} `json:"config"`
	} `json:"admin"`
	Apps struct {
		HTTP struct {
			Servers map[string]*struct {
				Listen    []string `json:"listen"`
				Protocols []string `json:"protocols"`
				HTTPS     struct {
					Disable bool `json:"disable"`
				} `json:"automatic_https"`
				Routes []route `json:"routes"`
			} `json:"servers"`
		} `json:"http"`
	} `json:"apps"`
}

// Load loads a configuration. An unchanged configuration has no effect. Otherwise, open sockets are closed after their delay.
func (s *Server) Load(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Equal(text, s.text) {
		return nil
	}
	var c config
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("the stand-in for Caddy does not support this configuration: %w", err)
	}
	wanted := map[string]bool{c.Admin.Listen: true}
	for _, server := range c.Apps.HTTP.Servers {
		for _, address := range server.Listen {
			wanted[address] = true
		}
	}
	if s.servers == nil {
		s.servers, s.open, s.sockets = map[string]*http.Server{}, map[string]int{}, map[*http.Request]socket{}
	}
	for address := range wanted {
		if s.servers[address] != nil {
			continue
		}
		listener, err := s.Listen(address)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(address, w, r) })}
		s.servers[address] = server
		go func() { _ = server.Serve(listener) }() // Close ends this
	}
	for address, server := range s.servers {
		if !wanted[address] {
			_ = server.Close()
			delete(s.servers, address)
		}
	}
	for _, open := range s.sockets {
		time.AfterFunc(open.delay, open.end)
	}
	clear(s.sockets)
	s.text, s.config = bytes.Clone(text), c
	return nil
}

// Close stops the server and closes all connections.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, server := range s.servers {
		_ = server.Close()
	}
	for _, open := range s.sockets {
		open.end()
	}
}

func (s *Server) serve(address string, w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c, text := s.config, s.text
	s.mu.Unlock()
	if address == c.Admin.Listen {
		s.admin(text, w, r)
		return
	}
	for _, server := range c.Apps.HTTP.Servers {
		for _, at := range server.Listen {
			if at == address {
				x := &exchange{s: s, w: w, r: r, vars: map[string]string{}}
				x.run(server.Routes)
				return
			}
		}
	}
}

// admin implements the requests of package proxy to Caddy's admin API.
func (s *Server) admin(text []byte, w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/config/":
		_, _ = w.Write(text)
	case r.Method == http.MethodGet && r.URL.Path == "/reverse_proxy/upstreams":
		type upstream struct {
			Address  string `json:"address"`
			Requests int    `json:"num_requests"`
		}
		all := []upstream{}
		s.mu.Lock()
		for address, n := range s.open {
			all = append(all, upstream{Address: address, Requests: n})
		}
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(all)
	default:
		http.NotFound(w, r)
	}
}

// begin counts a request as open until end is called.
func (s *Server) begin(address string) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[address]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[address]--; s.open[address] == 0 {
			delete(s.open, address)
		}
	}
}

// keep tracks a socket until its request ends.
func (s *Server) keep(r *http.Request, open socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets[r] = open
}

func (s *Server) forget(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, r)
}
