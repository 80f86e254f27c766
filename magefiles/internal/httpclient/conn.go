package httpclient

import (
	"context"
	"net"
	"sync"
	"time"
)

// A server that refuses an upload may answer and hang up before it has read the body. Go's HTTP client then sees two things
// at once, an answer and a write that broke off, and takes either. The answer says why, so that it has to come first.

// lastWords is how long a broken write waits for what may still be read.
const lastWords = time.Second

// attentive makes dial's connections such that hear the other side out.
func attentive(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &attentiveConn{Conn: c, heard: make(chan struct{})}, nil
	}
}

// attentiveConn holds the error of a write back until everything that came has been read.
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
