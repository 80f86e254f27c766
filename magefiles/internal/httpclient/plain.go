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
	Host string // by its name where that cannot be looked up, else IP and port; a proxy's, where one is in between
	Err  error  // Go's own, in all its layers
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached: %s", e.Host, reason(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Plain takes the address out of an error of Go's HTTP client, since the caller says what it asks for and a redirect may
// have led to an address that is a secret. Where there was no connection it is an *UnreachableError. Any other error is
// returned as it is.
func Plain(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var known *UnreachableError
	if errors.As(err, &known) {
		return err
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return &UnreachableError{lookup.Name, err}
	}
	for op := (*net.OpError)(nil); errors.As(err, &op); err = op.Err {
		if op.Op == "dial" && op.Addr != nil {
			return &UnreachableError{op.Addr.String(), err}
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
