// Package localprefix runs the embedded prefix.dev: channels in a folder, served on a local address, and, for trusted repositories, the token
// service of a CI in which their jobs run.
//
// `mage channel:serve` starts it for users, and rehearsals publish to it. Clients use its URL instead of prefix.dev's (PREFIX_SERVER_URL),
// and do not notice a difference.
package localprefix

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/httpserver"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// issuerPath is the path of the token service. It cannot conflict with a channel's name.
const issuerPath = "/.oidc"

// Options configures a server.
type Options struct {
	Addr    string       // listening address, which clients use too; "" for a free port on loopback
	Dir     string       // folder with the channels
	Key     string       // API key with write access to every channel; "" generates one
	Private []string     // channels that require a token for reading
	Trusted []Trusted    // jobs that may publish without a key
	Log     *slog.Logger // nil for none

	// Wrap wraps the handler for all requests; nil for none.
	Wrap func(http.Handler) http.Handler
}

// Trusted is a job that a channel trusts as a publisher. The embedded token service issues tokens for the first of these jobs.
type Trusted struct {
	Channel     string
	Repository  string // "owner/name"
	Workflow    string // file name, such as "release.yml"
	Ref         string // ref of the job, such as "refs/tags/v1.0.0"
	Environment string // environment that the job must use; "" for any, or none
}

// Server is a running embedded prefix.dev.
type Server struct {
	URL string // without a trailing slash
	Key string

	issuer *oidc.Issuer // nil if no job is trusted
	store  *store.Store
	http   *http.Server
	served chan error
}

// Start opens the folder and starts serving. The caller must close the server.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Key == "" {
		o.Key = "pfx_" + rand.Text()
	}
	channels, err := store.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, errors.Join(operr.New("pass a free address; -addr=127.0.0.1:0 takes any free port", "listening at %s: %w", o.Addr, err), channels.Close())
	}
	s := &Server{URL: "http://" + listener.Addr().String(), Key: o.Key, store: channels, served: make(chan error, 1)}
	handler, err := s.handler(o)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), channels.Close())
	}
	if o.Wrap != nil {
		handler = o.Wrap(handler)
	}
	s.http = httpserver.New(handler, httpserver.HostsOf(o.Addr))
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// handler combines the server and the token service. It does not use a ServeMux, which would redirect some paths.
func (s *Server) handler(o Options) (http.Handler, error) {
	host, _, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		return nil, err
	}
	access := &server.Access{Key: o.Key, Private: o.Private, Audiences: []string{host, "localhost", "prefix.dev"}}
	channels := server.New(s.store, server.Options{Authorize: access.Authorize, Accounts: access, Spool: s.store.Incoming(), Log: o.Log})
	if len(o.Trusted) == 0 {
		return channels, nil
	}
	if err := s.trust(access, o.Trusted); err != nil {
		return nil, err
	}
	issuer := http.StripPrefix(issuerPath, s.issuer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, issuerPath+"/") {
			issuer.ServeHTTP(w, r)
			return
		}
		channels.ServeHTTP(w, r)
	}), nil
}

// trust registers the publishers and creates the token service.
func (s *Server) trust(access *server.Access, trusted []Trusted) (err error) {
	first := trusted[0]
	if first.Ref == "" {
		first.Ref = "refs/heads/main"
	}
	if s.issuer, err = oidc.NewIssuer(oidc.GitHubClaims(first.Repository, first.Workflow, first.Ref, first.Environment)); err != nil {
		return fmt.Errorf("creating the keys of the token service: %w", err)
	}
	s.issuer.URL = s.URL + issuerPath
	access.IDTokens = &oidc.Verifier{Issuers: []string{s.issuer.URL}}
	for _, t := range trusted {
		access.Publishers = append(access.Publishers, server.Publisher{
			Channel:     t.Channel,
			Issuer:      s.issuer.URL,
			Repository:  t.Repository,
			Workflow:    t.Workflow,
			Environment: t.Environment,
		})
	}
	return nil
}

// Environ returns the environment variables, as KEY=VALUE, of a job in the first trusted repository. They include a secret. It returns nil if no
// job is trusted.
func (s *Server) Environ() []string {
	if s.issuer == nil {
		return nil
	}
	return s.issuer.Environ()
}

// Job returns the environment variables of any other job. claims are the job's claims, as GitHub would make them. For the trusted job, see Environ.
// It returns nil if no job is trusted.
func (s *Server) Job(claims map[string]any) []string {
	if s.issuer == nil {
		return nil
	}
	return s.issuer.Job(claims)
}

// EndJob ends a job started with Job, given its token: it gets no more ID tokens. Unknown tokens are ignored.
func (s *Server) EndJob(token string) {
	if s.issuer != nil {
		s.issuer.End(token)
	}
}

// Wait waits until the context is canceled, or until serving fails, and returns the error.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.served:
		return err
	}
}

// Close aborts active requests, writes the indexes, and releases the folder. It is a no-op for a nil Server.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.http.Close(), s.store.Close())
}
