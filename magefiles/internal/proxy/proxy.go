// Package proxy is the Caddy in front of the releases on a host, in a container of its own for each published port. Which release answers is in
// files that it reads for every request (package hoststate): a switch is a rename, and no request is lost.
//
// A page belongs to the container that made it. Its answer has a cookie with its release, and what the page asks for afterwards goes to that
// release for as long as it is the previous one. The cookie is compared, and never dialed.
//
//	config.go     what Caddy is told
//	container.go  its container, volumes and network
//	inside.go     the script of hoststate, run in the container, or in one of the same image
//	proxy.go      questions to it
package proxy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Proxy is a running one.
type Proxy struct {
	State  *hoststate.State
	Places Places
}

// within is how long one answer may take.
const within = 5 * time.Second

// AskNext asks the release at the gate, as the proxy will ask it once it is switched to. Nothing at the gate is a 503.
func (p *Proxy) AskNext(ctx context.Context, env string, s Service, path string) (hoststate.Answer, error) {
	return p.State.Ask(ctx, "http://"+p.Places.Inside+"/"+env+"/next"+path, s.host(), within)
}

// AskPublished asks the release that answers, through the published port. A service with TLS is asked by the same routes without it, since
// the container does not know itself by the service's domain.
func (p *Proxy) AskPublished(ctx context.Context, env string, s Service, path string) (hoststate.Answer, error) {
	url := "http://" + p.Places.loopback() + path
	if s.TLS != "" {
		url = "http://" + p.Places.Inside + "/" + env + "/published" + path
	}
	return p.State.Ask(ctx, url, s.host(), within)
}

// Open is how many requests an upstream has not answered yet, open sockets among them.
func (p *Proxy) Open(ctx context.Context, upstream string) (int, error) {
	const what = "counting the open requests of %s"
	a, err := p.State.Ask(ctx, "http://"+p.Places.Admin+"/reverse_proxy/upstreams", p.Places.Admin, within)
	if err != nil {
		return 0, err
	}
	var all []struct {
		Address  string `json:"address"`
		Requests int    `json:"num_requests"`
	}
	if a.Status != 200 {
		return 0, operr.New("see whether the proxy's container runs", what+": the proxy answers with status %d", upstream, a.Status)
	} else if err := json.Unmarshal(a.Body, &all); err != nil {
		return 0, operr.New("see whether the proxy's image is Caddy 2.11", what+": %w", upstream, err)
	}
	n := 0
	for _, u := range all {
		if u.Address == upstream {
			n += u.Requests
		}
	}
	return n, nil
}
