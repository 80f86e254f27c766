// Package prefixdev implements channel.Channel with prefix.dev's HTTP API (prefix-protocol.md §1 and §4).
//
// Its upload requests are byte for byte the same as those of the real uploader (rattler_upload). It is stricter in cases where that uploader may
// lose data or leak secrets. It rejects redirects of an upload, because following a redirect with GET can look like a success. It never sends a
// token over plain HTTP to another machine, and never prints a token. If the server responds that a file already exists, this is a success only
// if the file has the same bytes.
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

// DefaultServer is the public server. Its URL must not be repeated elsewhere in the code.
const DefaultServer = "https://prefix.dev"

// Token is a bearer token. It is redacted when it is formatted.
type Token = httpclient.Token

// Options configures a Client. The zero value configures access to DefaultServer without a token.
type Options struct {
	Server    string            // URL of the server, optionally with a path; defaults to DefaultServer
	Token     Token             // token for the server's channels; see Channel
	Transport http.RoundTripper // defaults to a transport that uses the proxy from the environment
	Attempts  int               // maximum number of attempts per request, including retries; defaults to 4
	Patience  time.Duration     // abort a request after this time without progress; defaults to 2 minutes for reads, 5 for others

	// Wait is called before each retry. `asked` is the delay in the response's Retry-After header, or 0. Wait must return the context's error if
	// the context ends first. It defaults to the back-off of rattler_upload: a random delay of up to 1, 2, 4 … seconds.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error
}

// Client sends requests to one server.
type Client struct {
	base     *url.URL // ends in a slash
	key      *Key     // default key for channels; may be nil
	retry    httpclient.Retry
	patience time.Duration
	waiting  time.Duration // patience for reads
	reader   *http.Client  // follows redirects, but never sends the token to another server
	writer   *http.Client  // rejects redirects
}

// New returns a client. It returns an error if the server's URL is invalid, or if the token would be sent unencrypted over the network.
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

// With returns a copy of the client that uses another token.
func (c *Client) With(t Token) (*Client, error) {
	if err := t.CheckFor(c.base); err != nil {
		return nil, err
	}
	other := *c
	other.key = keyOf(t)
	return &other, nil
}

// keyOf returns a key for the token, or nil if the token is "".
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
		return nil, operr.NewUsage("write an http or https URL, for example "+DefaultServer, "the address of the channel server is not an http or https URL")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, operr.NewUsage("remove the user, the query and the fragment from this address; a token belongs in PREFIX_API_KEY", "the address of the channel server %s must have only scheme, host and path", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

// Server returns the server's URL, for messages.
func (c *Client) Server() string { return strings.TrimSuffix(c.base.String(), "/") }

// Host returns the server's host name without a port. Credentials are stored under this name.
func (c *Client) Host() string { return c.base.Hostname() }

// Channel returns a channel on the server. It sends no request, and the channel may not exist yet.
func (c *Client) Channel(name string) (*Channel, error) {
	if err := channel.CheckName(name); err != nil {
		return nil, operr.NewUsage("correct the name of the channel in PREFIX_CHANNEL or in [tool.release]", "%w", err)
	}
	return &Channel{client: c, name: name, key: c.key}, nil
}

// url returns the server's URL with a path appended.
func (c *Client) url(parts ...string) *url.URL { return c.base.JoinPath(parts...) }

// Public reports whether a host in a manifest is the public server or its package mirror.
func Public(host string) bool {
	base, err := url.Parse(DefaultServer)
	return err == nil && (host == base.Host || host == "repo."+base.Host)
}
