// Package httpserver is what every server that we start must take care of: a client that sends or reads nothing does not
// keep a connection, and a page of another name, whose name leads to this machine (DNS rebinding), is not answered.
package httpserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// Timeouts say how long a client may do nothing.
type Timeouts struct {
	Header time.Duration // for all headers of a request
	Idle   time.Duration // between two requests of one connection
	Body   time.Duration // in which a body has to come forward by 32 KiB, and a client to take 32 KiB of an answer
}

// Default is for a server on this machine or near it.
var Default = Timeouts{Header: 30 * time.Second, Idle: 2 * time.Minute, Body: time.Minute}

const (
	piece     = 32 << 10 // bytes; a minute for these is a slow line of 1990
	maxHeader = 64 << 10 // bytes
)

// New makes a server that answers to the hosts alone, within Default.
func New(handler http.Handler, hosts Hosts) *http.Server { return Default.New(handler, hosts) }

// New makes a server that answers to the hosts alone.
func (t Timeouts) New(handler http.Handler, hosts Hosts) *http.Server {
	return &http.Server{
		Handler:           t.paced(hosts.only(handler)),
		ReadHeaderTimeout: t.Header,
		IdleTimeout:       t.Idle,
		MaxHeaderBytes:    maxHeader,
	}
}

// paced gives each piece of a body, and of an answer, a time of its own: how long all of it takes is the network's affair.
func (t Timeouts) paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		write := func() { _ = control.SetWriteDeadline(time.Now().Add(t.Body)) } // what cannot have one has no connection
		write()
		if r.Body != nil && r.ContentLength != 0 {
			body := &pacedBody{ReadCloser: r.Body, control: control, patience: t.Body}
			r.Body = body
			defer body.finish()
		}
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, control: control, write: write}, r)
		write() // for what is still buffered
	})
}

type pacedBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	left     int // bytes until the time begins again
	over     bool
}

// finish bounds what the server reads of a body that the handler has left.
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
	if err == io.EOF && !b.over { // nothing more is expected, and the server goes on looking whether the client is there
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

// Hijack implements http.Hijacker. Who takes the connection takes care of it.
func (w *pacedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.control.Hijack() }
