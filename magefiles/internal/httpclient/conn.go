package httpclient

import (
	"context"
	"net"
	"sync"
	"time"
)

// A server that refuses an upload may respond and close the connection before it has read the body. Go's HTTP client then sees a response and a write
// error at the same time, and returns one of them. The response has the reason, so it must win.

// lastWords is how long a failed write waits until the response has been read.
const lastWords = time.Second

// attentive wraps `dial` so that a connection still delivers the server's response after a write has failed.
func attentive(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &attentiveConn{Conn: c, heard: make(chan struct{})}, nil
	}
}

// attentiveConn delays a write error until all received data has been read.
type attentiveConn struct {
	net.Conn
	once  sync.Once
	heard chan struct{} // closed when nothing more can be read
}

func (c *attentiveConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.once.Do(func() { close(c.heard) })
	}
	return n, err
}

func (c *attentiveConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-c.heard:
		case <-timer.C:
		}
	}
	return n, err
}
