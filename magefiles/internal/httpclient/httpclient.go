// Package httpclient implements the rules of all HTTP clients in this program. A token is never printed, and never sent to another machine without
// TLS. A client honors Retry-After, drops a stalled connection, and retries a request after a temporary error ([Retry]). The package does not know
// any protocol. Callers decide which responses are temporary, and what to check before a retry.
package httpclient

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Agent is this program's User-Agent.
const Agent = "pixi-release"

// Token is a bearer token. Its value is never formatted.
type Token string

// Format implements fmt.Formatter.
func (t Token) Format(f fmt.State, _ rune) { f.Write([]byte(t.hidden())) }

// MarshalText hides the token in JSON and similar formats.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.hidden()), nil }

func (t Token) hidden() string {
	if t == "" {
		return "(none)"
	}
	return "(hidden)"
}

// CheckFor returns an error if the token would be sent to base over the network without TLS, or is not valid in a header. For another machine, it
// also rejects a token that is too short to be masked in output.
func (t Token) CheckFor(base *url.URL) error {
	if t != "" && base.Scheme == "http" && !Loopback(base.Hostname()) {
		return operr.New("use an https URL", "a token is not sent over plain http to %s", base.Host)
	}
	if strings.IndexFunc(string(t), func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return operr.New("remove newlines and spaces from the variable or file that holds the token", "the token for %s has white space or other characters that a token cannot have", base.Host)
	}
	if t != "" && len(t) < command.MaskedFrom && !Loopback(base.Hostname()) {
		return operr.New("check the variable or file that holds the token: the token may be cut off, or may be a placeholder", "the token for %s has %s, but a token of fewer than %d characters cannot be hidden in the output",
			base.Host, operr.Count(len(t), "character"), command.MaskedFrom)
	}
	return nil
}

// Loopback reports whether a host name without a port is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// SameOrigin reports whether two URLs have the same scheme, host and port.
func SameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// Transport is Go's default transport without compression, which would hide sizes. Its errors distinguish a proxy from the server.
func Transport() http.RoundTripper { return TransportThrough(http.ProxyFromEnvironment) }

// TransportThrough is Transport with a custom function that chooses the proxy for each request.
func TransportThrough(proxy func(*http.Request) (*url.URL, error)) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = proxy
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 16
	t.MaxResponseHeaderBytes = 256 << 10
	t.WriteBufferSize = 256 << 10
	t.DialContext = attentive(t.DialContext)
	t.OnProxyConnectResponse = ofProxy
	return throughProxy{Transport: t}
}

// Refuse is a CheckRedirect that rejects all redirects, because a POST that is redirected to a GET can look like success.
func Refuse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RetryAfter parses both forms of the header: seconds, and a date, which is relative to the server's clock. It returns 0 without the header, and at
// most an hour.
func RetryAfter(r *http.Response) time.Duration {
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, min(seconds, 3600))) * time.Second
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, min(then.Sub(Date(r)), time.Hour))
}

// Date returns the server's time from the Date header, or our own time without the header.
func Date(r *http.Response) time.Time {
	now, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return time.Now()
	}
	return now
}
