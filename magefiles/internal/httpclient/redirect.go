package httpclient

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrRedirect is in the chain of an error about a redirect that is not followed. The server means it, so that asking again
// does not help.
var ErrRedirect = errors.New("a redirect that is not followed")

// mostRedirects are more than any server needs.
const mostRedirects = 10

// Follow is a CheckRedirect for reading. The credentials of the request go on to the same origin alone, and once that was left
// they are not given back, wherever it leads. It is never http after https, and has an end.
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

// redirectError is an ErrRedirect with a sentence of its own.
type redirectError string

func (e redirectError) Error() string   { return string(e) }
func (redirectError) Is(err error) bool { return err == ErrRedirect }

// Guarded does for clients that are not ours what Follow does for ours: a request that a redirect has led to http after
// https is not made, and one that comes back to where it began has no credentials any more.
// Errors: ErrRedirect.
func Guarded(next http.RoundTripper) http.RoundTripper { return guarded{next: next} }

type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. A request that was redirected knows the answer that did it.
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
