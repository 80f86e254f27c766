package prefixdev_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// If a server responds after reading only the headers and closes the connection while the body is sent, the client reads the response. The client
// does not report a broken connection, and does not retry after a final status.
func TestResponseBeforeTheBodyIsSent(t *testing.T) {
	u, err := channel.NewUpload(grow(t, 30<<20)) // larger than all network buffers
	require.NoError(t, err)
	for code, want := range map[int]error{
		400: channel.ErrMalformed, 401: channel.ErrUnauthorized, 403: channel.ErrForbidden, 404: channel.ErrNotFound,
		413: channel.ErrTooLarge, 422: channel.ErrInvalid,
	} {
		var uploads atomic.Int32
		url := hasty(t, func(r *http.Request) string {
			uploads.Add(1)
			return fmt.Sprintf("HTTP/1.1 %d No\r\nContent-Length: 11\r\nConnection: close\r\n\r\nnot like so", code)
		})
		_, err := client(t, url, time.Minute).Put(t.Context(), u)
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, "not like so")
		require.EqualValues(t, 1, uploads.Load(), code)
	}
}

// hasty starts a server that responds to each request after its headers, and then closes the connection without reading the body.
func hasty(t *testing.T, answer func(*http.Request) string) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = c.Write([]byte(answer(r)))
			}
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}
