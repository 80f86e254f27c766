package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Places contains the proxy's addresses, and the folder with its state.
type Places struct {
	Listen string // [HOST]:PORT, the published port
	Inside string // HOST:PORT on the proxy's loopback, for the gate
	Admin  string // HOST:PORT on the proxy's loopback
	Dir    string // hoststate.Dir, except in tests
}

// PlacesOf returns the places inside the container for a published port.
func PlacesOf(port uint16) Places {
	inside := 2019
	if port == 2019 || port == 2020 {
		inside = 2021
	}
	return Places{
		Listen: ":" + strconv.Itoa(int(port)),
		Inside: "127.0.0.1:" + strconv.Itoa(inside+1),
		Admin:  "127.0.0.1:" + strconv.Itoa(inside),
		Dir:    hoststate.Dir,
	}
}

// loopback returns the address of the published port inside the container.
func (p Places) loopback() string {
	host, port, err := net.SplitHostPort(p.Listen)
	if err != nil || host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Issuers of a service's certificate.
const (
	ACME     = "acme"     // Let's Encrypt or ZeroSSL
	Internal = "internal" // the proxy's own CA, for tests
)

// Service configures the proxy for one environment. The host stores it as JSON.
type Service struct {
	Domain string `json:"domain,omitempty"` // "" matches every request on the port
	TLS    string `json:"tls,omitempty"`    // ACME or Internal; "" means plain HTTP

	// Drain is how long sockets remain open after the proxy's configuration has changed, even if the change was in another service.
	Drain time.Duration `json:"drain,omitempty"`
}

// host returns the Host header for requests to the service.
func (s Service) host() string {
	if s.Domain != "" {
		return s.Domain
	}
	return "localhost"
}

var domains = regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\z`)

// check returns an error if the services cannot share a port.
func check(services map[string]Service) error {
	by := map[string]string{}
	tls := map[bool]string{}
	for _, env := range slices.Sorted(maps.Keys(services)) {
		s := services[env]
		switch {
		case !hoststate.Name(env):
			return operr.New("use letters, digits, dots, hyphens and underscores", "%q cannot be the name of an environment", env)
		case s.Domain != "" && (!domains.MatchString(s.Domain) || len(s.Domain) > 253):
			return operr.New("write the domain in lower case, without a port", "%s: %q is not a domain", env, s.Domain)
		case s.TLS != "" && s.TLS != ACME && s.TLS != Internal:
			return operr.New("", "%s: %q is not a known source of certificates", env, s.TLS)
		case s.TLS != "" && s.Domain == "":
			return operr.New("set `domain` for this environment", "%s: TLS needs a domain, but no domain is set", env)
		case s.Domain == "" && len(services) > 1:
			return operr.New("set a `domain` or a separate `port` for each environment; `mage deploy:remove` removes an environment that you do not need", "%s has no domain, so it needs its own port, but %d other environment(s) have the same port", env, len(services)-1)
		}
		if other, taken := by[s.Domain]; taken {
			return operr.New("set a different `domain` or `port` for one of these environments", "%s and %s have the same domain on the same port", other, env)
		}
		by[s.Domain], tls[s.TLS != ""] = env, env
	}
	if len(tls) > 1 {
		return operr.New("set a different `port` for one of these environments", "%s has TLS, but %s on the same port has no TLS", tls[true], tls[false])
	}
	return nil
}

type object = map[string]any

// Configuration returns Caddy's configuration as JSON. The same services result in the same bytes.
func Configuration(p Places, services map[string]Service) (string, error) {
	if err := check(services); err != nil {
		return "", err
	}
	var published, inside []object
	policies := []object{}
	for _, env := range slices.Sorted(maps.Keys(services)) {
		s := services[env]
		routes := s.routes(p.Dir, env)
		route := object{"handle": []object{{"handler": "subroute", "routes": routes}}, "terminal": true}
		if s.Domain != "" {
			route["match"] = []object{{"host": []string{s.Domain}}}
		}
		published = append(published, route)
		inside = append(inside, below("/"+env+"/next", s.gate(p.Dir, env)), below("/"+env+"/published", routes))
		switch s.TLS {
		case ACME:
			policies = append(policies, object{"subjects": []string{s.Domain}})
		case Internal:
			policies = append(policies, object{"subjects": []string{s.Domain}, "issuers": []object{{"module": "internal"}}})
		}
	}
	nobody := object{"handle": []object{{"handler": "static_response", "status_code": 404, "body": "nothing is served under this name\n"}}}
	public := object{
		"listen":    []string{p.Listen},
		"protocols": []string{"h1", "h2"},
		"routes":    append(published, nobody),
	}
	apps := object{}
	if len(policies) > 0 {
		public["tls_connection_policies"] = []object{{}}
		apps["tls"] = object{"automation": object{"policies": policies}}
	} else {
		public["automatic_https"] = object{"disable": true}
	}
	apps["http"] = object{"servers": object{
		"published": public,
		"inside": object{
			"listen":          []string{p.Inside},
			"protocols":       []string{"h1"},
			"automatic_https": object{"disable": true},
			"routes":          append(inside, nobody),
		},
	}}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(object{
		"admin": object{"listen": p.Admin, "config": object{"persist": false}},
		"apps":  apps,
	})
	return text.String(), err
}

// `below` returns a route for all paths below a path, which is stripped before the nested routes run.
func below(path string, routes []object) object {
	return object{
		"match": []object{{"path": []string{path + "/*"}}},
		"handle": []object{
			{"handler": "rewrite", "strip_path_prefix": path},
			{"handler": "subroute", "routes": routes},
		},
		"terminal": true,
	}
}

// Cookie returns the name of the cookie that identifies the release of a page. Each environment has its own name, because cookies are not separated
// by port.
func Cookie(env string) string { return "release-" + env }

// nowhere lists the contents of an upstream file that mean no upstream.
var nowhere = []string{hoststate.None, ""}

// routes returns the routes for external requests.
func (s Service) routes(dir, env string) []object {
	cookie := Cookie(env)
	add := object{"Set-Cookie": []string{cookie + "={http.vars.release}; Path=/; HttpOnly; SameSite=Lax"}}
	if s.TLS != "" {
		add = object{"Set-Cookie": []string{cookie + "={http.vars.release}; Path=/; HttpOnly; Secure; SameSite=Lax"}}
	}
	return []object{
		// The files are read once per request, so the cookie names the release that made the page, even if a switch happens in between.
		{"handle": []object{{"handler": "vars", "release": file(dir, env, "up"), "previous": file(dir, env, "prev")}}},
		{
			"match": []object{{
				"header": object{"Cookie": []string{"*" + cookie + "=*"}},
				"vars":   object{"{http.request.cookie." + cookie + "}": []string{"{http.vars.previous}"}},
				"not": []object{
					{"vars": object{"previous": nowhere}},
					{"header": object{"Sec-Fetch-Dest": []string{"document", "iframe"}}},
					// Browsers send Sec-Fetch-Dest only over TLS and to loopback. Without it, a request that accepts HTML counts as one for a new
					// page.
					{"header": object{"Sec-Fetch-Dest": nil, "Accept": []string{"text/html*"}}},
				},
			}},
			"handle":   []object{s.reverse("{http.vars.previous}")},
			"terminal": true,
		},
		noRelease(),
		{"handle": []object{
			{"handler": "headers", "response": object{
				"deferred": true,
				"require":  object{"headers": object{"Content-Type": []string{"text/html*"}}},
				"add":      add,
			}},
			s.reverse("{http.vars.release}"),
		}},
	}
}

// gate returns the routes to the next release, which has not received requests yet.
func (s Service) gate(dir, env string) []object {
	return []object{
		{"handle": []object{{"handler": "vars", "release": file(dir, env, "next")}}},
		noRelease(),
		{"handle": []object{s.reverse("{http.vars.release}")}},
	}
}

func noRelease() object {
	return object{
		"match":    []object{{"vars": object{"release": nowhere}}},
		"handle":   []object{{"handler": "static_response", "status_code": 503, "headers": object{"Retry-After": []string{"5"}}, "body": "there is no release yet\n"}},
		"terminal": true,
	}
}

func (s Service) reverse(dial string) object {
	r := object{"handler": "reverse_proxy", "upstreams": []object{{"dial": dial}}}
	if s.Drain > 0 {
		r["stream_close_delay"] = s.Drain.String()
	}
	return r
}

func file(dir, env, name string) string {
	return fmt.Sprintf("{file.%s}", strings.Join([]string{dir, "env", env, name}, "/"))
}
