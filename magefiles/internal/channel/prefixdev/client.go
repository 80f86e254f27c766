// Package prefixdev is prefix.dev as a channel.Channel: the client side of its HTTP (prefix-protocol §1 and §4).
//
// It uploads what the real uploader (rattler_upload) uploads, byte for byte of the request, but is stricter where that
// one loses data or secrets: redirects of an upload are refused, since following one with GET can look like success; a
// token is never sent over plain http to another machine, nor printed; and that a file "already exists" is success only
// where the channel has the same bytes.
package prefixdev

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// DefaultServer is the public server. No other code of the pipeline bears its address.
const DefaultServer = "https://prefix.dev"

// Token is a bearer token. However it is formatted, it does not show.
type Token string

// Format implements fmt.Formatter.
func (t Token) Format(f fmt.State, _ rune) { f.Write([]byte(t.hidden())) }

// MarshalText keeps the token out of JSON and the like.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.hidden()), nil }

func (t Token) hidden() string {
	if t == "" {
		return "(none)"
	}
	return "(hidden)"
}

// Options are what a client needs to know. The zero value reads from DefaultServer.
type Options struct {
	Server    string            // URL; DefaultServer where it is empty. A path in it is kept
	Token     Token             // for what changes a channel; reading is done as anyone would, to see what they see
	Transport http.RoundTripper // nil is one of the client's own, which obeys the proxy variables of the environment
	Attempts  int               // how often a request is tried in all, where trying again can help; 0 is 4
	Patience  time.Duration     // how long nothing may move before a request counts as lost; 0 is five minutes

	// Wait is called before attempt 2 and later ones, with what the server asked for (Retry-After), or 0. It returns the
	// context's error when that ends first. Nil waits as rattler_upload does: up to 1, 2, 4 … seconds, at random.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error
}

// Client reaches one server.
type Client struct {
	base     *url.URL // ends in a slash
	token    Token
	attempts int
	patience time.Duration
	wait     func(ctx context.Context, attempt int, asked time.Duration) error
	reader   *http.Client // follows redirects, and does not take the token to another server
	writer   *http.Client // refuses them
}

// New makes a client. It refuses addresses that are none, and a token that would go over the network in the clear.
func New(o Options) (*Client, error) {
	if o.Server == "" {
		o.Server = DefaultServer
	}
	base, err := parseServer(o.Server)
	if err != nil {
		return nil, err
	}
	if err := checkToken(o.Token, base); err != nil {
		return nil, err
	}
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Minute
	}
	if o.Wait == nil {
		o.Wait = backOff
	}
	if o.Transport == nil {
		o.Transport = transport()
	}
	return &Client{
		base: base, token: o.Token, attempts: o.Attempts, patience: o.Patience, wait: o.Wait,
		reader: &http.Client{Transport: o.Transport, CheckRedirect: followed},
		writer: &http.Client{Transport: o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// checkToken refuses a token that would go over the network in the clear, and one that would break the header.
func checkToken(t Token, base *url.URL) error {
	if t != "" && base.Scheme == "http" && !loopback(base.Hostname()) {
		return operr.New("use https", "refusing to send a token over plain http to %s", base.Host)
	}
	if strings.IndexFunc(string(t), func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return operr.New("look for a newline or a space where it comes from", "the token for %s has white space or other characters in it that no token has", base.Host)
	}
	return nil
}

// With returns a client of the same server that writes with another token.
func (c *Client) With(t Token) (*Client, error) {
	if err := checkToken(t, c.base); err != nil {
		return nil, err
	}
	other := *c
	other.token = t
	return &other, nil
}

func parseServer(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return nil, operr.NewUsage("give a URL such as "+DefaultServer, "the channel server's address is no http or https URL")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, operr.NewUsage("give the token by itself", "the channel server's address for %s has more in it than scheme, host and path", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport is Go's own, without compression that would hide sizes.
func transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 16
	t.WriteBufferSize = 256 << 10
	t.DialContext = attentive(t.DialContext)
	return t
}

// backOff is rattler_upload's: exponential, with full jitter; but what the server asks for counts, up to a minute.
func backOff(ctx context.Context, attempt int, asked time.Duration) error {
	pause := rand.N(time.Second << (attempt - 2))
	timer := time.NewTimer(max(pause, min(asked, time.Minute)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Server is the address that the client reaches, for people.
func (c *Client) Server() string { return strings.TrimSuffix(c.base.String(), "/") }

// Channel returns one of the server's channels. It need not exist yet, and nothing is asked.
func (c *Client) Channel(name string) (*Channel, error) {
	if err := channel.CheckName(name); err != nil {
		return nil, operr.NewUsage("", "%w", err)
	}
	return &Channel{client: c, name: name}, nil
}

// url is the server's address with a path behind it.
func (c *Client) url(parts ...string) *url.URL { return c.base.JoinPath(parts...) }

// Public reports whether a host, as it stands in a manifest, is the public server, or its mirror for packages.
func Public(host string) bool {
	base, err := url.Parse(DefaultServer)
	return err == nil && (host == base.Host || host == "repo."+base.Host)
}
