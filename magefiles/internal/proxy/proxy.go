// Package proxy runs Caddy in front of the releases on a host, in a separate container for each published port. Caddy reads the upstreams from files
// on every request (package hoststate), so a switch only renames a file, and no request is lost.
//
// A page belongs to the release that made it. The response sets a cookie with the release. The page's later requests go to that release while it
// is the current or the previous one. The cookie is only compared with these: its value is never used as an address.
//
//	config.go     generates Caddy's configuration
//	container.go  manages the proxy's container, volumes and network
//	inside.go     runs hoststate's script in the container, or in another one of the same image
//	proxy.go      queries a running proxy
package proxy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Proxy is a running proxy.
type Proxy struct {
	State  *hoststate.State
	Places Places
}

// `within` is the timeout for a response.
const within = 5 * time.Second

// AskNext queries the release at the gate, through the routes that requests will take after the switch. If there is none, the status is 503.
func (p *Proxy) AskNext(ctx context.Context, env string, s Service, path string) (hoststate.Answer, error) {
	return p.State.Ask(ctx, "http://"+p.Places.Inside+"/"+env+"/next"+path, s.host(), within)
}

// AskPublished queries the current release through the published port. For a service with TLS, it uses the same routes without TLS, because the
// service's domain may not resolve to the proxy inside the container.
func (p *Proxy) AskPublished(ctx context.Context, env string, s Service, path string) (hoststate.Answer, error) {
	url := "http://" + p.Places.loopback() + path
	if s.TLS != "" {
		url = "http://" + p.Places.Inside + "/" + env + "/published" + path
	}
	return p.State.Ask(ctx, url, s.host(), within)
}

// Open returns the number of an upstream's unfinished requests, including open sockets.
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
		return 0, operr.New("check that the proxy's container runs", what+": the proxy returned status %d", upstream, a.Status)
	} else if err := json.Unmarshal(a.Body, &all); err != nil {
		return 0, operr.New("check that the proxy's image has Caddy 2.11", what+": %w", upstream, err)
	}
	n := 0
	for _, u := range all {
		if u.Address == upstream {
			n += u.Requests
		}
	}
	return n, nil
}
