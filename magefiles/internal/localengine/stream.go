package localengine

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
)

// Stream types in the engine's framing.
const (
	stdout = 1
	stderr = 2
)

// framed writes each chunk as a frame of a stream. Several can share a writer and its lock.
type framed struct {
	mu     *sync.Mutex
	w      io.Writer
	stream byte
}

func (f framed) Write(p []byte) (int, error) {
	head := [8]byte{f.stream}
	binary.BigEndian.PutUint32(head[4:], uint32(len(p)))
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.w.Write(append(head[:], p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// raw is a hijacked connection, with the bytes already read from it.
type raw struct {
	net.Conn
	r *bufio.Reader
}

func (c raw) Read(p []byte) (int, error) { return c.r.Read(p) }

// hijack takes over a request's connection, as the engine does for bidirectional streams.
func (e *Engine) hijack(w http.ResponseWriter) (raw, error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return raw{}, err
	}
	e.mu.Lock()
	e.taken[conn] = true
	e.mu.Unlock()
	_, err = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	return raw{Conn: conn, r: rw.Reader}, err
}

// release closes a hijacked connection.
func (e *Engine) release(c raw) {
	_ = c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.taken, c.Conn)
}

// unheard discards the response.
type unheard struct {
	http.ResponseWriter
	header http.Header
}

func (u *unheard) Header() http.Header { return u.header }

func (u *unheard) WriteHeader(int) {}

func (u *unheard) Write(p []byte) (int, error) { return len(p), nil }

func (u *unheard) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	return deaf{Conn: conn}, rw, err
}

// deaf is a connection that discards everything written to it.
type deaf struct{ net.Conn }

func (d deaf) Write(p []byte) (int, error) { return len(p), nil }
