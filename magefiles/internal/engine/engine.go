// Package engine is a client for a Docker engine, over a connection provided by the caller. It uses the newest API version that both sides support,
// at least 1.40 (engine.go). Its errors have a kind (error.go).
//
// It pulls images by digest (image.go), with a login that is only sent to the image's registry (login.go). Containers (container.go) are created
// from a Spec (create.go), run commands (exec.go), and have logs (logs.go), networks (network.go) and volumes (volume.go). Every call has a timeout,
// so an unresponsive engine causes an error.
package engine

import (
	"context"
	"net"
	"time"

	"github.com/moby/moby/client"
)

// Timeouts of calls. The caller's context may impose shorter ones.
const (
	quick  = 30 * time.Second // queries and small changes
	slow   = 2 * time.Minute  // operations that are slow on a busy machine: creating or starting a container, removing an image
	silent = 3 * time.Minute  // time without progress during a pull
)

// Dialer opens a connection to the engine.
type Dialer func(ctx context.Context) (net.Conn, error)

// Client is a client for one engine. It is safe for concurrent use.
type Client struct {
	api *client.Client
}

// New returns a client for the engine that dial connects to. It does not connect yet. The caller must close it.
func New(dial Dialer) *Client {
	api, err := client.New(
		client.WithHost("unix:///engine"), // a placeholder that prevents the use of a proxy; dial determines the address
		client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dial(ctx)
			if err != nil {
				return nil, &dialError{err: err}
			}
			return conn, nil
		}),
	)
	if err != nil { // impossible, because no option comes from outside
		panic(err)
	}
	return &Client{api: api}
}

// Close closes idle connections.
func (c *Client) Close() error { return c.api.Close() }

// Version describes an engine.
type Version struct {
	Engine string // version of the engine
	API    string // version of the API in use: the newest that both engine and client support
	OS     string // in the spelling of images: linux
	Arch   string // in the spelling of images: amd64
}

// Ping returns the engine's version. If its newest API is older than 1.40, the error is TooOld.
func (c *Client) Ping(ctx context.Context) (Version, error) {
	ctx, done := withLimit(ctx, quick)
	defer done()
	ping, err := c.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		if ping.APIVersion != "" && kindOf(ctx, err) == Invalid { // the library does not support any of this engine's API versions
			return Version{API: ping.APIVersion}, &Error{Kind: TooOld, Doing: "asking the engine for its version", Err: err}
		}
		return Version{}, failure(ctx, err, "asking the engine for its version")
	}
	v, err := c.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Version{}, failure(ctx, err, "asking the engine for its version")
	}
	return Version{Engine: v.Version, API: c.api.ClientVersion(), OS: v.Os, Arch: v.Arch}, nil
}

// withLimit returns a context that is canceled after d, with the cause errLimit.
func withLimit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errLimit)
}
