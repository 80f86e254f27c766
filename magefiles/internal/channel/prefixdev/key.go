package prefixdev

import (
	"context"
	"sync"
	"time"
)

// Key is the credential of an operation. It is asked for when something needs it, and once: a CI may give one ID token alone, and a server
// is asked whose a key is. What the asking came to counts for the whole operation, an error too. Its methods may be called side by side.
type Key struct {
	Now func() time.Time // nil is the clock

	ask   func(ctx context.Context) (Credential, error)
	mu    sync.Mutex
	asked bool
	held  Credential
	err   error
	since time.Time // when it was held first
}

// NewKey makes a key that ask gives when it is needed.
func NewKey(ask func(ctx context.Context) (Credential, error)) *Key { return &Key{ask: ask} }

// freshFor is how long a minted credential changes a channel without a new one. An ID token is good once, and GitLab gives a job no
// second one.
const freshFor = time.Minute

// Get is the credential that is held, or asked for now.
func (k *Key) Get(ctx context.Context) (Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.asked {
		return k.renew(ctx)
	}
	return k.held, k.err
}

// Fresh is Get for what changes a channel. What a CI gave ends within minutes, and may have ended while packages were built, a person
// was asked, or an index was waited for: another one is asked for then.
func (k *Key) Fresh(ctx context.Context) (Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.asked || k.held.Minted && k.now().Sub(k.since) >= freshFor {
		return k.renew(ctx)
	}
	return k.held, k.err
}

// renew asks. That somebody ended the asking says nothing of the credential: whoever comes next asks again.
func (k *Key) renew(ctx context.Context) (Credential, error) {
	held, err := k.ask(ctx)
	if err != nil && ctx.Err() != nil {
		return held, context.Cause(ctx)
	}
	if err != nil && k.asked && k.err == nil {
		return held, err // what is held may still be read with
	}
	k.asked, k.held, k.err, k.since = true, held, err, k.now()
	return held, err
}

func (k *Key) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}
