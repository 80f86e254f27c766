// Package localregistry runs go-containerregistry's OCI registry on loopback, with blobs in a folder. Manifests and tags are in memory, because a
// server is used for only one rehearsal or test.
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
	Host string // HOST:PORT, the prefix of repositories

	http *http.Server
}

// Start creates a folder for blobs, and serves a registry on a free loopback port. If wrap is not nil, it wraps the registry's handler. The caller
// must close the server.
func Start(dir string, wrap func(http.Handler) http.Handler) (*Server, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, operr.New("find the program that uses all loopback ports with `ss -ltnp`", "starting a registry: %w", err)
	}
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)), registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	s := &Server{Host: listener.Addr().String(), http: httpserver.New(handler, httpserver.Hosts{})}
	go func() { _ = s.http.Serve(listener) }() // Close ends this goroutine
	return s, nil
}

// Close stops the server and aborts all requests. It is a no-op for a nil Server.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	if err := s.http.Close(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
