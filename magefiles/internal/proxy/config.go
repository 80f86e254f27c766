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

// Places are where the proxy listens, and where its state is.
type Places struct {
	Listen string // [HOST]:PORT, published
	Inside string // HOST:PORT on its loopback, where the gate is asked
	Admin  string // HOST:PORT on its loopback
	Dir    string // hoststate.Dir; another one in tests
}

// PlacesOf are those inside the container for a published port.
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

// loopback is where the container reaches what it publishes.
func (p Places) loopback() string {
	host, port, err := net.SplitHostPort(p.Listen)
	if err != nil || host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// How a service gets its certificate.
const (
	ACME     = "acme"     // from Let's Encrypt or ZeroSSL
	Internal = "internal" // from an authority of the proxy's own: for tests
)

// Service is what the proxy does for one environment. It is kept on the host as JSON.
type Service struct {
	Domain string `json:"domain,omitempty"` // "" takes every request of the port
	TLS    string `json:"tls,omitempty"`    // ACME or Internal; "" is plain HTTP

	// Drain is for how long sockets stay open when the proxy is configured anew: of another service, too.
	Drain time.Duration `json:"drain,omitempty"`
}

// host is what a client that asks for the service calls it.
func (s Service) host() string {
	if s.Domain != "" {
		return s.Domain
	}
	return "localhost"
}

var domains = regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\z`)

// check finds out whether services can share a port.
func check(services map[string]Service) error {
	by := map[string]string{}
	tls := map[bool]string{}
	for _, env := range slices.Sorted(maps.Keys(services)) {
		s := services[env]
		switch {
		case !hoststate.Name(env):
			return operr.New("use letters, digits, dots, dashes and underlines", "%q is no name of an environment", env)
		case s.Domain != "" && (!domains.MatchString(s.Domain) || len(s.Domain) > 253):
			return operr.New("write it in lower case, without a port", "%s: %q is not a domain", env, s.Domain)
		case s.TLS != "" && s.TLS != ACME && s.TLS != Internal:
			return operr.New("", "%s: %q is no way to a certificate", env, s.TLS)
		case s.TLS != "" && s.Domain == "":
			return operr.New("set `domain`", "%s: a certificate is for a domain, and there is none", env)
		case s.Domain == "" && len(services) > 1:
			return operr.New("give each of them a `domain`, or a `port` of its own; one that is not wanted any more goes by `mage deploy:remove`", "%s has no domain, and shares its port with %d other(s)", env, len(services)-1)
		}
		if other, taken := by[s.Domain]; taken {
			return operr.New("give one of them another `domain` or `port`", "%s and %s have the same domain on the same port", other, env)
		}
		by[s.Domain], tls[s.TLS != ""] = env, env
	}
	if len(tls) > 1 {
		return operr.New("give one of them another `port`", "%s has TLS and %s has not, on the same port", tls[true], tls[false])
	}
	return nil
}

type object = map[string]any

// Configuration is what Caddy is told, as JSON: the same services give the same bytes.
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

// below is a route for a path, whose rest is what the routes below it see.
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

// Cookie is the name of the cookie by which a page says which release made it. Cookies know no ports: two environments have two names.
func Cookie(env string) string { return "release-" + env }

// nowhere are the values of a file without an upstream.
var nowhere = []string{hoststate.None, ""}

// routes are what is done with a request from outside.
func (s Service) routes(dir, env string) []object {
	cookie := Cookie(env)
	add := object{"Set-Cookie": []string{cookie + "={http.vars.release}; Path=/; HttpOnly; SameSite=Lax"}}
	if s.TLS != "" {
		add = object{"Set-Cookie": []string{cookie + "={http.vars.release}; Path=/; HttpOnly; Secure; SameSite=Lax"}}
	}
	return []object{
		// The files are read once for a request: the cookie says who made the page, also when a switch comes in between.
		{"handle": []object{{"handler": "vars", "release": file(dir, env, "up"), "previous": file(dir, env, "prev")}}},
		{
			"match": []object{{
				"header": object{"Cookie": []string{"*" + cookie + "=*"}},
				"vars":   object{"{http.request.cookie." + cookie + "}": []string{"{http.vars.previous}"}},
				"not": []object{
					{"vars": object{"previous": nowhere}},
					{"header": object{"Sec-Fetch-Dest": []string{"document", "iframe"}}},
					// Browsers say what a request is for over TLS and to loopback alone. Elsewhere a new page is what wants to be a page.
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

// gate are the routes to the release that is not switched to yet.
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
