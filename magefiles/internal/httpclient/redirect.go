package httpclient

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrRedirect is wrapped by the error for a redirect that is not followed. A retry will not help, because the server redirects on purpose.
var ErrRedirect = errors.New("the redirect was not followed")

// mostRedirects is more than any server needs.
const mostRedirects = 10

// Follow is a CheckRedirect for read requests. It sends the request's credentials only to the same origin. After a redirect to another origin they
// are dropped, even if a later redirect returns to the first. Follow rejects redirects from https to http, and more than mostRedirects redirects.
// Errors: ErrRedirect.
func Follow(r *http.Request, via []*http.Request) error {
	left, secure := false, false
	for _, hop := range append(via[:len(via):len(via)], r) {
		left = left || !SameOrigin(hop.URL, via[0].URL)
		secure = secure || hop.URL.Scheme == "https"
	}
	if left {
		r.Header.Del("Authorization")
		r.Header.Del("Cookie")
	}
	switch {
	case r.URL.Scheme != "https" && (r.URL.Scheme != "http" || secure):
		return redirectError(fmt.Sprintf("the server redirects to %s, which is not https", r.URL.Host))
	case len(via) >= mostRedirects:
		return redirectError("the server redirects in a circle")
	}
	return nil
}

// redirectError is an ErrRedirect with another text.
type redirectError string

func (e redirectError) Error() string   { return string(e) }
func (redirectError) Is(err error) bool { return err == ErrRedirect }

// Guard wraps a transport of another client to apply the rules of Follow. It rejects a redirect from https to http, and removes the credentials from
// a request that returns to its first origin. Errors: ErrRedirect.
func Guard(next http.RoundTripper) http.RoundTripper { return guarded{next: next} }

type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. The Response field of a redirected request is the response that caused the redirect.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	var via []*http.Request
	for answer := r.Response; answer != nil && answer.Request != nil && len(via) <= mostRedirects; answer = answer.Request.Response {
		via = append([]*http.Request{answer.Request}, via...)
	}
	if len(via) > 0 {
		r = r.Clone(r.Context())
		if err := Follow(r, via); err != nil {
			return nil, err
		}
	}
	return g.next.RoundTrip(r)
}
