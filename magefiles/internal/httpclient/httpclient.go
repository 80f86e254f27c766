// Package httpclient has what every adapter that speaks HTTP must take care of, and none should do in its own way: a
// token does not show and does not leave the machine in the clear, a server's wish to wait is obeyed, and a connection on
// which nothing moves is given up, and what may pass is tried again, in one way for all ([Retry]). It knows no protocol: which
// answers may pass, and what has to be asked before a request is made a second time, is for the adapter to say.
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

// Agent is what servers are told that asks them.
const Agent = "pixi-release"

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

// CheckFor refuses to send the token to base where it would go over the network in the clear, and a token that would
// break the header. Off this machine it also refuses one that is too short to be hidden in what is printed.
func (t Token) CheckFor(base *url.URL) error {
	if t != "" && base.Scheme == "http" && !Loopback(base.Hostname()) {
		return operr.New("use https", "refusing to send a token over plain http to %s", base.Host)
	}
	if strings.IndexFunc(string(t), func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return operr.New("look for a newline or a space where it comes from", "the token for %s has white space or other characters in it that no token has", base.Host)
	}
	if t != "" && len(t) < command.MaskedFrom && !Loopback(base.Hostname()) {
		return operr.New("see where it comes from: it may be cut off, or a placeholder", "the token for %s has %s, and one of fewer than %d cannot be hidden in what is printed",
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

// Transport is Go's own, without compression that would hide sizes. Its errors tell a proxy from the server behind it.
func Transport() http.RoundTripper { return TransportThrough(http.ProxyFromEnvironment) }

// TransportThrough is Transport with another choice of a proxy for each request.
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

// Refuse is a CheckRedirect that follows nothing: following a POST with GET can look like success.
func Refuse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RetryAfter reads both forms of the header: seconds, and a date, which is measured by the server's own clock. It is 0
// without the header, and an hour at most.
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

// Date is what the server's clock shows, or ours where it does not say.
func Date(r *http.Response) time.Time {
	now, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return time.Now()
	}
	return now
}
