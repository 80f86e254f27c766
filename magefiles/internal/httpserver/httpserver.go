// Package httpserver makes HTTP servers that drop idle clients and reject requests with a foreign Host header, which protects against DNS rebinding.
// Every server in this program uses it.
package httpserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// Timeouts limits how long a client may be idle.
type Timeouts struct {
	Header time.Duration // time limit for all headers of a request
	Idle   time.Duration // time limit between two requests of a connection
	Body   time.Duration // limit for receiving 32 KiB of a request body, and for sending 32 KiB of a response
}

// Default is for a server on this machine or near it.
var Default = Timeouts{Header: 30 * time.Second, Idle: 2 * time.Minute, Body: time.Minute}

const (
	piece     = 32 << 10 // bytes; even a modem of 1990 sends so many in a minute
	maxHeader = 64 << 10 // bytes
)

// New returns a server that accepts only the given hosts, with the Default timeouts.
func New(handler http.Handler, hosts Hosts) *http.Server { return Default.New(handler, hosts) }

// New returns a server that accepts only the given hosts.
func (t Timeouts) New(handler http.Handler, hosts Hosts) *http.Server {
	return &http.Server{
		Handler:           t.limitPace(hosts.allowHosts(handler)),
		ReadHeaderTimeout: t.Header,
		IdleTimeout:       t.Idle,
		MaxHeaderBytes:    maxHeader,
	}
}

// limitPace sets a deadline for each chunk of a body or response, because the total time depends on the network.
func (t Timeouts) limitPace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		write := func() { _ = control.SetWriteDeadline(time.Now().Add(t.Body)) } // a writer without deadlines has no connection
		write()
		if r.Body != nil && r.ContentLength != 0 {
			body := &pacedBody{ReadCloser: r.Body, control: control, patience: t.Body}
			r.Body = body
			defer body.finish()
		}
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, control: control, write: write}, r)
		write() // writes what is still buffered
	})
}

type pacedBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	left     int // bytes until the deadline is set again
	over     bool
}

// finish limits the time in which the server reads the rest of a body that the handler has not read.
func (b *pacedBody) finish() {
	if !b.over {
		_ = b.control.SetReadDeadline(time.Now().Add(b.patience))
	}
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 && !b.over {
		b.left = piece
		_ = b.control.SetReadDeadline(time.Now().Add(b.patience))
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	if err == io.EOF && !b.over { // nothing more is expected, and the server continues to check whether the client is there
		b.over = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	write   func()
}

func (w *pacedWriter) Write(p []byte) (n int, err error) {
	for err == nil && n < len(p) {
		var more int
		w.write()
		more, err = w.ResponseWriter.Write(p[n:min(len(p), n+piece)])
		n += more
	}
	return n, err
}

// Unwrap lets an http.ResponseController find the writer.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *pacedWriter) Flush() {
	w.write()
	_ = w.control.Flush()
}

// Hijack implements http.Hijacker. Whoever takes the connection must close it.
func (w *pacedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.control.Hijack() }
