package localproxy

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

type route struct {
	Match    []matcher `json:"match"`
	Handle   []handler `json:"handle"`
	Terminal bool      `json:"terminal"`
}

type matcher struct {
	Host   []string            `json:"host"`
	Path   []string            `json:"path"`
	Header map[string][]string `json:"header"`
	Vars   map[string][]string `json:"vars"`
	Not    []matcher           `json:"not"`
}

// handler is the union of all kinds of handlers.
type handler struct {
	Handler string `json:"handler"`

	Routes []route `json:"routes"` // subroute

	Release  string `json:"release"` // vars
	Previous string `json:"previous"`

	StripPathPrefix string `json:"strip_path_prefix"` // rewrite

	StatusCode int                 `json:"status_code"` // static_response
	Headers    map[string][]string `json:"headers"`
	Body       string              `json:"body"`

	Response *struct { // headers
		Deferred bool `json:"deferred"`
		Require  struct {
			Headers map[string][]string `json:"headers"`
		} `json:"require"`
		Add map[string][]string `json:"add"`
	} `json:"response"`

	Upstreams []struct { // reverse_proxy
		Dial string `json:"dial"`
	} `json:"upstreams"`
	StreamCloseDelay string `json:"stream_close_delay"`
}

// exchange is a request while it is being routed.
type exchange struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	vars    map[string]string
	headers []handler // handlers for the response
}

// run executes the routes, and reports whether the request was handled.
func (x *exchange) run(routes []route) bool {
	for _, route := range routes {
		if len(route.Match) > 0 && !slices.ContainsFunc(route.Match, x.matches) {
			continue
		}
		for _, h := range route.Handle {
			switch h.Handler {
			case "subroute":
				if x.run(h.Routes) {
					return true
				}
			case "vars":
				x.vars["release"], x.vars["previous"] = x.expand(h.Release), x.expand(h.Previous)
			case "rewrite":
				x.r.URL.Path, x.r.URL.RawPath = strings.TrimPrefix(x.r.URL.Path, h.StripPathPrefix), ""
			case "headers":
				x.headers = append(x.headers, h)
			case "static_response":
				for name, values := range h.Headers {
					x.w.Header()[name] = values
				}
				x.w.WriteHeader(h.StatusCode)
				_, _ = io.WriteString(x.w, h.Body)
				return true
			case "reverse_proxy":
				x.reverse(h)
				return true
			default:
				http.Error(x.w, "the stand-in for Caddy has no handler "+h.Handler, http.StatusInternalServerError)
				return true
			}
		}
		if route.Terminal {
			return true
		}
	}
	return false
}

func (x *exchange) matches(m matcher) bool {
	host := x.r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	is := func(pattern string) func(string) bool { return func(text string) bool { return fits(pattern, text) } }
	if m.Host != nil && !slices.ContainsFunc(m.Host, func(h string) bool { return strings.EqualFold(h, host) }) {
		return false
	}
	if m.Path != nil && !slices.ContainsFunc(m.Path, func(p string) bool { return fits(p, x.r.URL.Path) }) {
		return false
	}
	for name, patterns := range m.Header {
		values := x.r.Header.Values(name)
		if patterns == nil && len(values) == 0 {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p string) bool { return slices.ContainsFunc(values, is(p)) }) {
			return false
		}
	}
	if m.Vars != nil && !x.hasVar(m.Vars) {
		return false
	}
	return !slices.ContainsFunc(m.Not, x.matches)
}

// hasVar reports whether one of the variables has one of the given values.
func (x *exchange) hasVar(vars map[string][]string) bool {
	for key, values := range vars {
		has := x.vars[key]
		if strings.HasPrefix(key, "{") {
			has = x.expand(key)
		}
		if slices.ContainsFunc(values, func(v string) bool { return has == x.expand(v) }) {
			return true
		}
	}
	return false
}

// fits reports whether a text matches a pattern, which may start and end with *.
func fits(pattern, text string) bool {
	middle, open := strings.CutPrefix(pattern, "*")
	inner, end := strings.CutSuffix(middle, "*")
	switch {
	case open && end:
		return strings.Contains(text, inner)
	case open:
		return strings.HasSuffix(text, middle)
	case end:
		return strings.HasPrefix(text, inner)
	}
	return pattern == text
}

var placeholder = regexp.MustCompile(`\{[^{}]+\}`)

// expand replaces placeholders in a text.
func (x *exchange) expand(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		p = p[1 : len(p)-1]
		if path, ok := strings.CutPrefix(p, "file."); ok {
			text, err := os.ReadFile(x.s.Path(path))
			if err != nil {
				return ""
			}
			return strings.TrimSuffix(string(text), "\n")
		}
		if name, ok := strings.CutPrefix(p, "http.vars."); ok {
			return x.vars[name]
		}
		if name, ok := strings.CutPrefix(p, "http.request.cookie."); ok {
			if c, err := x.r.Cookie(name); err == nil {
				return c.Value
			}
		}
		return ""
	})
}

// reverse proxies the request to the upstream.
func (x *exchange) reverse(h handler) {
	address := x.expand(h.Upstreams[0].Dial)
	delay, _ := time.ParseDuration(h.StreamCloseDelay)
	ctx, end := context.WithCancel(x.r.Context())
	defer end()
	r := x.r.WithContext(ctx)
	defer x.s.begin(address)()
	defer x.s.forget(r)
	transport := &http.Transport{DialContext: x.s.Dial, DisableCompression: true}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: address})
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ModifyResponse: func(answer *http.Response) error {
			if answer.StatusCode == http.StatusSwitchingProtocols {
				x.s.keep(r, socket{end: end, delay: delay})
			}
			for _, h := range x.headers {
				for name, patterns := range h.Response.Require.Headers {
					if slices.ContainsFunc(patterns, func(p string) bool { return fits(p, answer.Header.Get(name)) }) {
						for name, values := range h.Response.Add {
							for _, v := range values {
								answer.Header.Add(name, x.expand(v))
							}
						}
					}
				}
			}
			return nil
		},
	}
	proxy.ServeHTTP(x.w, r)
}
