package httpclient_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

func TestPlain(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	unknown := &net.DNSError{Err: "no such host", Name: "a.example", Server: "192.0.2.53:53", IsNotFound: true}
	for want, cause := range map[string]error{
		"a.example cannot be reached: there is no such host":                   &net.OpError{Op: "dial", Net: "tcp", Err: unknown},
		"b.example cannot be reached: the lookup of its name timed out":        &net.DNSError{Err: "i/o timeout", Name: "b.example", IsTimeout: true},
		"c.example cannot be reached: looking up its name: server misbehaving": &net.DNSError{Err: "server misbehaving", Name: "c.example"},
		"192.0.2.1:443 cannot be reached: connection refused":                  refused,
		"192.0.2.1:443 cannot be reached: no answer":                           &net.OpError{Op: "dial", Addr: refused.Addr, Err: os.ErrDeadlineExceeded},
		"192.0.2.1:443 cannot be reached: what the dialer says":                &net.OpError{Op: "dial", Addr: refused.Addr, Err: errors.New("what the dialer says")},
		"unexpected EOF":                     io.ErrUnexpectedEOF,
		"read tcp: connection reset by peer": &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET},
	} {
		err := httpclient.Plain(&url.Error{Op: "Get", URL: "https://signed.example/?key=1", Err: cause})
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, cause)
		require.Equal(t, err, httpclient.Plain(err), "the error is not wrapped twice")
	}
	err := httpclient.Plain(&url.Error{Err: &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}})
	require.EqualError(t, err, "192.0.2.1:443 cannot be reached: connection refused")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, httpclient.Plain(nil))
}

func TestPlainOfARealClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = (&http.Client{Transport: httpclient.Transport()}).Get("http://" + l.Addr().String())
	require.EqualError(t, httpclient.Plain(err), l.Addr().String()+" cannot be reached: connection refused")
}
