package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
)

// UnreachableError is the error for a host to which no connection could be made.
type UnreachableError struct {
	Host  string // name of the host if its lookup failed, otherwise IP and port; of the proxy if Proxy is set
	Err   error  // Go's error, with all wrapped errors
	Proxy bool   // Host is a proxy
}

// Cure returns the next step for a proxy, which does not depend on the request; "" without a proxy.
func (e *UnreachableError) Cure() string {
	if !e.Proxy {
		return ""
	}
	return e.Host + " is the proxy in HTTPS_PROXY (or HTTP_PROXY): check that the proxy runs, correct the variable, or add the server to NO_PROXY to connect without the proxy"
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %s", e.Host, reason(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Plain removes the URL from an error of Go's HTTP client. Callers add what they requested, and a redirect may have led to a secret URL. It returns
// an *UnreachableError if there was no connection, a *CertificateError if a certificate is not trusted, and the underlying error otherwise.
func Plain(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var known *UnreachableError
	if errors.As(err, &known) {
		return err
	}
	if unaccepted := certificate(err); unaccepted != nil {
		return unaccepted
	}
	var first *net.OpError
	proxy := errors.As(err, &first) && first.Op == "proxyconnect"
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return &UnreachableError{Host: lookup.Name, Err: err, Proxy: proxy}
	}
	for op := (*net.OpError)(nil); errors.As(err, &op); err = op.Err {
		if op.Op == "dial" && op.Addr != nil {
			return &UnreachableError{Host: op.Addr.String(), Err: err, Proxy: proxy}
		}
		if op.Op != "proxyconnect" {
			break
		}
	}
	return err
}

func reason(err error) string {
	var lookup *net.DNSError
	var number syscall.Errno
	var op *net.OpError
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "there is no such host"
	case errors.As(err, &lookup) && lookup.IsTimeout:
		return "the lookup of its name timed out"
	case lookup != nil:
		return "looking up its name: " + lookup.Err
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &op) && op.Timeout():
		return "no answer"
	case op != nil:
		return op.Err.Error()
	}
	return err.Error()
}
