package httpserver_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpserver"
)

// start serves on loopback, and returns the address.
func start(t *testing.T, patience time.Duration, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := httpserver.Timeouts{Header: patience, Idle: patience, Body: patience}.New(h, httpserver.Hosts{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// A foreign host name that resolves to this machine is rejected.
func TestHostileNames(t *testing.T) {
	loopback := []string{"localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:80", "::1"}
	strangers := []string{"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil.example:127", "0.0.0.0", "169.254.169.254", "[::ffff:192.0.2.1]", "127.0.0.1@evil.example", "host"}
	for addr, also := range map[string][]string{
		"127.0.0.1:0": nil, "localhost:0": nil, "[::1]:0": nil, "nonsense": nil, "192.0.2.7:80": {"192.0.2.7", "192.0.2.7:80"}, "Build.Example:80": {"build.example:80", "BUILD.example"},
	} {
		hosts := httpserver.HostsOf(addr)
		for _, host := range append(loopback, also...) {
			require.True(t, hosts.Has(host), "%s at %s", host, addr)
		}
		for _, host := range strangers {
			require.False(t, hosts.Has(host), "%s at %s", host, addr)
		}
	}
	for _, addr := range []string{":80", "0.0.0.0:80", "[::]:80"} {
		require.True(t, httpserver.HostsOf(addr).Has("192.0.2.7:80"), "an IP address cannot be changed to lead to another machine")
		require.False(t, httpserver.HostsOf(addr).Has("evil.example"))
	}

	served := 0
	addr := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { served++ })
	for _, host := range []string{"evil.example", "evil.example:" + addr[strings.LastIndex(addr, ":")+1:], "10.0.0.1"} {
		r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
		require.NoError(t, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusMisdirectedRequest, answer.StatusCode)
		require.Contains(t, string(text), "does not answer to the name")
	}
	require.Zero(t, served)
}

// A client that stops, or sends a byte at a time, is disconnected, whether it is in the headers, in the body or between two requests. So is a client
// that does not read its response.
func TestHostileClients(t *testing.T) {
	const patience = 150 * time.Millisecond
	ended := make(chan error, 10)
	addr := start(t, patience, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/unread" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			ended <- err
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/much" {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					ended <- err
					return
				}
			}
		}
		fmt.Fprintln(w, "well")
	})
	for name, c := range map[string]struct {
		said    string
		trickle bool // then sends a byte at a time
		handled bool // whether the handler saw it
	}{
		"no request":              {},
		"half the headers":        {said: "GET / HTTP/1.1\r\nHost: localhost\r\n"},
		"endless headers":         {said: "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", trickle: true},
		"half a body":             {said: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc", handled: true},
		"a body that is not read": {said: "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc"},
		"a trickle":               {said: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc", trickle: true, handled: true},
		"a trickle in chunks":     {said: "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n", trickle: true, handled: true},
		"reads nothing":           {said: "GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n", handled: true},
		"idle afterwards":         {said: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, c.said)
			require.NoError(t, err)
			if c.trickle {
				go func() {
					for range 1000 {
						time.Sleep(5 * time.Millisecond)
						if _, err := io.WriteString(conn, "x"); err != nil {
							return
						}
					}
				}()
			}
			if name == "reads nothing" {
				require.Error(t, <-ended)
				return
			}
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
			_, err = io.Copy(io.Discard, bufio.NewReader(conn)) // until the server hangs up
			require.NotErrorIs(t, err, net.ErrClosed)
			var late net.Error
			errors.As(err, &late)
			require.False(t, late != nil && late.Timeout(), "the server keeps the connection")
			if c.handled {
				require.Error(t, <-ended)
			}
		})
	}
}

// A body or response that makes progress has no time limit.
func TestSlowTransfersAreServed(t *testing.T) {
	addr := start(t, 200*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(300 * time.Millisecond) // a server may take longer to respond than a client may be idle
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintln(w, n)
	})
	slow := &slowly{pieces: 8}
	answer, err := http.Post("http://"+addr+"/", "", slow)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintln(8*(64<<10)), string(text))
}

// slowly returns pieces with pauses between them.
type slowly struct {
	pieces int
	rest   []byte
}

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.pieces == 0 {
			return 0, io.EOF
		}
		s.pieces--
		time.Sleep(50 * time.Millisecond)
		s.rest = make([]byte, 64<<10)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Headers have a limit.
func TestHostileHeaders(t *testing.T) {
	addr := start(t, time.Minute, func(http.ResponseWriter, *http.Request) {})
	for size, status := range map[int]int{32 << 10: http.StatusOK, 100 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
		require.NoError(t, err)
		r.Header.Set("X", strings.Repeat("x", size))
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, status, answer.StatusCode)
	}
}
