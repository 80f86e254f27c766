// Package localprefix runs the embedded prefix.dev: channels in a folder, served on an address of this machine, and,
// where repositories are to be trusted, the token service of the CI that their jobs run in.
//
// It is what `mage channel:serve` starts for people, and what a rehearsal publishes to. Clients reach it by its URL in
// place of prefix.dev's (PREFIX_SERVER_URL), and cannot tell the two apart.
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

// issuerPath is where the token service stands. No channel can have that name.
const issuerPath = "/.oidc"

// Options say what to serve.
type Options struct {
	Addr    string       // to listen at, and to be asked by; "" is a free port on loopback
	Dir     string       // of the channels
	Key     string       // API key that may write every channel; "" makes one
	Private []string     // channels that cannot be read without a token
	Trusted []Trusted    // jobs that may publish without a key
	Log     *slog.Logger // nil for none

	// Wrap puts something in front of everything that is served; nil puts nothing.
	Wrap func(http.Handler) http.Handler
}

// Trusted is a job whose workflow a channel trusts. The embedded token service gives tokens to the first one.
type Trusted struct {
	Channel     string
	Repository  string // "owner/name"
	Workflow    string // file name, such as "release.yml"
	Ref         string // that the job runs for, such as "refs/tags/v1.0.0"
	Environment string // of the workflow that the job has to have; "" is any, or none
}

// Server is a running embedded prefix.dev.
type Server struct {
	URL string // without a slash at its end
	Key string

	issuer *oidc.Issuer // nil where nobody is trusted
	store  *store.Store
	http   *http.Server
	served chan error
}

// Start opens the folder and listens. The caller closes the server.
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
		return nil, errors.Join(operr.New("name a free address: -addr=127.0.0.1:0 takes any port", "listening at %s: %w", o.Addr, err), channels.Close())
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

// handler puts the server and the token service together. It routes by the path alone, since a ServeMux would redirect.
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

// trust registers publishers and makes the token service.
func (s *Server) trust(access *server.Access, trusted []Trusted) (err error) {
	first := trusted[0]
	if first.Ref == "" {
		first.Ref = "refs/heads/main"
	}
	if s.issuer, err = oidc.NewIssuer(oidc.GitHubClaims(first.Repository, first.Workflow, first.Ref, first.Environment)); err != nil {
		return fmt.Errorf("making the keys of the token service: %w", err)
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

// Environ are the variables that a job of the first trusted repository finds on its runner, as KEY=value; they hold a
// secret. Nil where nobody is trusted.
func (s *Server) Environ() []string {
	if s.issuer == nil {
		return nil
	}
	return s.issuer.Environ()
}

// Job are the variables that another job finds on its runner, of which GitHub would say these claims; Environ has those of the one that
// is trusted. Nil where nobody is.
func (s *Server) Job(claims map[string]any) []string {
	if s.issuer == nil {
		return nil
	}
	return s.issuer.Job(claims)
}

// EndJob ends one of Job by its own token: it gets no ID token any more. Any other text is passed over.
func (s *Server) EndJob(token string) {
	if s.issuer != nil {
		s.issuer.End(token)
	}
}

// Wait returns when the context ends, or with the error by which serving ended.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.served:
		return err
	}
}

// Close ends what is under way, writes the indexes, and lets the folder go. A nil Server may be closed.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.http.Close(), s.store.Close())
}
