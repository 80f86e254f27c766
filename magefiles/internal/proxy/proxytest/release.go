package proxytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Release returns a small application: a page, a file, a health path, and sockets that echo lines.
//
//	/          a page that says which release made it
//	/file      not a page
//	/healthz   as JSON; with ?status=N, with that status
//	/slow      a page whose answer waits until goOn is called
//	/socket    an echo, with the release's name before each line
func Release(name string) (handler http.Handler, goOn func()) {
	gate := make(chan struct{})
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<p>%s", name)
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { page(w) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
			page(w)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, name, string(body))
	})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Revision", name)
		w.Header().Set("X-Host", r.Host)
		if s := r.FormValue("status"); s != "" {
			var status int
			_, _ = fmt.Sscan(s, &status)
			w.WriteHeader(status)
		}
		fmt.Fprintf(w, `{"revision": %q}`, name)
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			line, err := both.ReadString('\n')
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(conn, "%s %s", name, line); err != nil {
				return
			}
		}
	})
	return mux, func() { close(gate) }
}

// onLoopback serves a handler, and returns its address.
func onLoopback(t testing.TB, handler http.Handler) (upstream string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// socket is the client side of a socket.
type socket struct {
	net.Conn
	read *bufio.Reader
}

// dial opens a socket, with the given header lines. Host must be the first.
func dial(t testing.TB, addr string, header ...string) *socket {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	if len(header) == 0 || !strings.HasPrefix(header[0], "Host: ") {
		header = append([]string{"Host: localhost"}, header...)
	}
	text := "GET /socket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	for _, h := range header {
		text += h + "\r\n"
	}
	_, err = io.WriteString(conn, text+"\r\n")
	require.NoError(t, err)
	s := &socket{Conn: conn, read: bufio.NewReader(conn)}
	answer, err := http.ReadResponse(s.read, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, answer.StatusCode)
	return s
}

// echo sends a line, and returns the name of the release that responded.
func (s *socket) echo() (string, error) {
	_ = s.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(s, "hello\n"); err != nil {
		return "", err
	}
	line, err := s.read.ReadString('\n')
	name, _, _ := strings.Cut(line, " ")
	return name, err
}
