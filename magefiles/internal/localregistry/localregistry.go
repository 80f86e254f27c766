// Package localregistry runs an embedded OCI registry on an address of this machine: go-containerregistry's, with the
// contents of images in a folder. What names them is in memory: it is for a rehearsal or a test, and ends with it.
package localregistry

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/foopack/foopack/magefiles/internal/httpserver"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Server is a running registry.
type Server struct {
	Host string // HOST:PORT, as it stands in front of a repository

	http *http.Server
}

// Start serves images kept in a folder, which is made, at a free port on loopback. wrap may put something in front of the
// registry; nil puts nothing. The caller closes the server.
func Start(dir string, wrap func(http.Handler) http.Handler) (*Server, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, operr.New("see what uses all ports of loopback", "starting a registry: %w", err)
	}
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)), registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	s := &Server{Host: listener.Addr().String(), http: httpserver.New(handler, httpserver.Hosts{})}
	go func() { _ = s.http.Serve(listener) }() // it ends by Close
	return s, nil
}

// Close ends what is under way. A nil Server may be closed.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	if err := s.http.Close(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
