package cirun

import (
	"context"
	"maps"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/httpserver"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// grants are what stands in for what GitHub gives jobs.
type grants struct {
	view       *view.View
	repository string

	mu     sync.Mutex
	issuer *oidc.Issuer // of ID tokens, by a key that nobody trusts; nil until a job may have one
	server *http.Server
}

// idToken is how a job gets an ID token: asked for those alone that may have one.
func (g *grants) idToken(of runner.Asked) (url, token string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.issuer == nil {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		issuer, err := oidc.NewIssuer(nil)
		if err != nil {
			return "", "", err
		}
		issuer.URL = "http://" + listener.Addr().String()
		g.issuer, g.server = issuer, httpserver.New(issuer, httpserver.Hosts{})
		go func() { _ = g.server.Serve(listener) }() // until end
	}
	g.view.Say("○ %s has an ID token that says what GitHub's would, by a key that nobody trusts", of.Leg)
	env := g.issuer.Job(oidc.GitHubClaims(g.repository, path.Base(of.Workflow), of.Event.Ref, of.Environment))
	url, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_URL")
	token, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	return url, token, nil
}

// approve lets each environment through.
func (g *grants) approve(_ context.Context, environment string) error {
	g.view.Say("○ nobody has to approve the environment %s here: who may is said on GitHub alone", environment)
	return nil
}

func (g *grants) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.server != nil {
		_ = g.server.Close() // nothing is lost with it
	}
}

// tellVariables says which variables have a stand-in for a value.
func (g *grants) tellVariables(variables map[string]string) {
	if len(variables) > 0 {
		g.view.Say("○ variables have stand-ins too: %s", strings.Join(slices.Sorted(maps.Keys(variables)), ", "))
	}
}
