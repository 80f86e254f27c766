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

// grants provides stand-ins for what GitHub provides to jobs.
type grants struct {
	view       *view.View
	repository string

	mu     sync.Mutex
	issuer *oidc.Issuer // issuer of ID tokens, with an untrusted key; nil until a job may request one
	server *http.Server
}

// idToken returns where a job can request an ID token. It is called only for jobs that may have one.
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
		go func() { _ = g.server.Serve(listener) }() // until end closes it
	}
	g.view.Say("○ %s has an ID token with the same claims as GitHub's, but signed by a key that no server trusts", of.Leg)
	env := g.issuer.Job(oidc.GitHubClaims(g.repository, path.Base(of.Workflow), of.Event.Ref, of.Environment))
	url, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_URL")
	token, _ = command.Getenv(env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	return url, token, nil
}

// approve approves every environment.
func (g *grants) approve(_ context.Context, environment string) error {
	g.view.Say("○ the environment %s needs no approval here, because only GitHub knows its reviewers", environment)
	return nil
}

func (g *grants) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.server != nil {
		_ = g.server.Close() // the server has no state to lose
	}
}

// tellVariables prints which variables have stand-in values.
func (g *grants) tellVariables(variables map[string]string) {
	if len(variables) > 0 {
		g.view.Say("○ these variables have placeholders instead of their values: %s", strings.Join(slices.Sorted(maps.Keys(variables)), ", "))
	}
}
