// Package prefixdev is prefix.dev as a channel.Channel: the client side of its HTTP (prefix-protocol.md §1 and §4).
//
// It uploads what the real uploader (rattler_upload) uploads, byte for byte of the request, but is stricter where that
// one loses data or secrets: redirects of an upload are refused, since following one with GET can look like success; a
// token is never sent over plain http to another machine, nor printed; and that a file "already exists" is success only
// where the channel has the same bytes.
package prefixdev

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// DefaultServer is the public server. No other code of the pipeline bears its address.
const DefaultServer = "https://prefix.dev"

// Token is a bearer token. However it is formatted, it does not show.
type Token = httpclient.Token

// Options are what a client needs to know. The zero value reads from DefaultServer.
type Options struct {
	Server    string            // URL; DefaultServer where it is empty. A path in it is kept
	Token     Token             // what its channels have for a key; see Channel
	Transport http.RoundTripper // nil is one of the client's own, which obeys the proxy variables of the environment
	Attempts  int               // how often a request is tried in all, where trying again can help; 0 is 4
	Patience  time.Duration     // how long nothing may move before a request counts as lost; 0 is five minutes, two for reading

	// Wait is called before attempt 2 and later ones, with what the server asked for (Retry-After), or 0. It returns the
	// context's error when that ends first. Nil waits as rattler_upload does: up to 1, 2, 4 … seconds, at random.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error
}

// Client reaches one server.
type Client struct {
	base     *url.URL // ends in a slash
	key      *Key     // of channels that get no other; nil for none
	retry    httpclient.Retry
	patience time.Duration
	waiting  time.Duration // patience for reading
	reader   *http.Client  // follows redirects, and does not take the token to another server
	writer   *http.Client  // refuses them
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
	if err := o.Token.CheckFor(base); err != nil {
		return nil, err
	}
	waiting := o.Patience
	if o.Patience == 0 {
		o.Patience, waiting = 5*time.Minute, 2*time.Minute
	}
	if o.Transport == nil {
		o.Transport = httpclient.Transport()
	}
	return &Client{
		base:     base,
		key:      keyOf(o.Token),
		retry:    httpclient.Retry{Attempts: o.Attempts, Wait: o.Wait, Final: lasting},
		patience: o.Patience,
		waiting:  waiting,
		reader:   &http.Client{Transport: o.Transport, CheckRedirect: httpclient.Follow},
		writer:   &http.Client{Transport: o.Transport, CheckRedirect: httpclient.Refuse},
	}, nil
}

// With returns a client of the same server whose channels have another token.
func (c *Client) With(t Token) (*Client, error) {
	if err := t.CheckFor(c.base); err != nil {
		return nil, err
	}
	other := *c
	other.key = keyOf(t)
	return &other, nil
}

// keyOf is the key that a token is, or nil for none.
func keyOf(t Token) *Key {
	if t == "" {
		return nil
	}
	return NewKey(func(context.Context) (Credential, error) { return Credential{Token: t}, nil })
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

// Server is the address that the client reaches, for people.
func (c *Client) Server() string { return strings.TrimSuffix(c.base.String(), "/") }

// Host is the server's name, without a port: the key of its credentials.
func (c *Client) Host() string { return c.base.Hostname() }

// Channel returns one of the server's channels. It need not exist yet, and nothing is asked.
func (c *Client) Channel(name string) (*Channel, error) {
	if err := channel.CheckName(name); err != nil {
		return nil, operr.NewUsage("correct it where it is set, such as in PREFIX_CHANNEL, or in [tool.release]", "%w", err)
	}
	return &Channel{client: c, name: name, key: c.key}, nil
}

// url is the server's address with a path behind it.
func (c *Client) url(parts ...string) *url.URL { return c.base.JoinPath(parts...) }

// Public reports whether a host, as it stands in a manifest, is the public server, or its mirror for packages.
func Public(host string) bool {
	base, err := url.Parse(DefaultServer)
	return err == nil && (host == base.Host || host == "repo."+base.Host)
}
