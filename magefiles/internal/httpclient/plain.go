package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
)

// UnreachableError says that there is no connection to a host.
type UnreachableError struct {
	Host  string // by its name where that cannot be looked up, else IP and port; a proxy's, where one is in between
	Err   error  // Go's own, in all its layers
	Proxy bool   // Host is a proxy
}

// Cure is what to do about a proxy, whatever was asked for; "" without one.
func (e *UnreachableError) Cure() string {
	if !e.Proxy {
		return ""
	}
	return e.Host + " is the proxy that HTTPS_PROXY (or HTTP_PROXY) names: see whether it is up, correct it, or name the servers to reach without it in NO_PROXY"
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %s", e.Host, reason(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Plain takes the address out of an error of Go's HTTP client, since the caller says what it asks for and a redirect may
// have led to an address that is a secret. Where there was no connection it is an *UnreachableError, and where a certificate is not
// accepted a *CertificateError. Any other error is returned as it is.
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
		return "its name was not looked up in time"
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
