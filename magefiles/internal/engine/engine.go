// Package engine is what we ask of a Docker engine, over a connection that somebody else makes. It speaks the API that engine and client both
// know, from 1.40 on (engine.go), and says what went wrong by a type (error.go).
//
// Images (image.go) are pulled by digest, with a login for their own registry (login.go). A container (container.go) is made of a Spec (create.go), runs commands (exec.go), and has logs
// (logs.go), networks (network.go) and volumes (volume.go). Each call has a time limit of its own: an engine that says nothing is an error.
package engine

import (
	"context"
	"net"
	"time"

	"github.com/moby/moby/client"
)

// The time limits of calls. Others may make them shorter by their context.
const (
	quick  = 30 * time.Second // a question, or a change of what the engine has at hand
	slow   = 2 * time.Minute  // what a full machine takes long for: a container that is made or started, an image that is removed
	silent = 3 * time.Minute  // how long a pull may say nothing
)

// Dialer opens a connection to the engine.
type Dialer func(ctx context.Context) (net.Conn, error)

// Client speaks to one engine. It may be used by several goroutines.
type Client struct {
	api *client.Client
}

// New returns a client of the engine that dial leads to. Nothing is asked yet. The caller closes it.
func New(dial Dialer) *Client {
	api, err := client.New(
		client.WithHost("unix:///engine"), // a name for the library, which takes no proxy then: where the engine is, dial knows
		client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dial(ctx)
			if err != nil {
				return nil, &dialError{err: err}
			}
			return conn, nil
		}),
	)
	if err != nil { // all that is given is ours
		panic(err)
	}
	return &Client{api: api}
}

// Close ends the connections that nothing uses.
func (c *Client) Close() error { return c.api.Close() }

// Version says what an engine is.
type Version struct {
	Engine string // version of the engine
	API    string // version of the API that is spoken: the newest that engine and client know
	OS     string // as images have it: linux
	Arch   string // as images have it: amd64
}

// Ping asks the engine what it is. It is TooOld where its newest API is older than 1.40.
func (c *Client) Ping(ctx context.Context) (Version, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	ping, err := c.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		if ping.APIVersion != "" && kindOf(ctx, err) == Invalid { // the library took no version of this engine's
			return Version{API: ping.APIVersion}, &Error{Kind: TooOld, Doing: "asking the engine for its version", Err: err}
		}
		return Version{}, failed(ctx, err, "asking the engine for its version")
	}
	v, err := c.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Version{}, failed(ctx, err, "asking the engine for its version")
	}
	return Version{Engine: v.Version, API: c.api.ClientVersion(), OS: v.Os, Arch: v.Arch}, nil
}

// limited is a context that ends after d, and says so by errLimit.
func limited(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errLimit)
}
