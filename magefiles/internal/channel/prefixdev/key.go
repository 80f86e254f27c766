package prefixdev

import (
	"context"
	"time"
)

// Key provides the credential for an operation. It requests the credential when it is first needed, and caches the result, even an error. This is
// because a CI may issue only one ID token per job, and because the server is queried for a key's owner. Its methods are safe for concurrent use:
// while one call requests the credential, other calls wait for the result or until their context is done.
type Key struct {
	Now func() time.Time // defaults to time.Now

	ask   func(ctx context.Context) (Credential, error)
	turn  chan struct{} // buffered channel used as a mutex; guards the fields below
	asked bool
	held  Credential
	err   error
	late  error     // why `held` could not be renewed; nil if no renewal failed
	since time.Time // when `held` was obtained, or its last renewal failed
}

// NewKey returns a key that gets its credential from the function `ask`.
func NewKey(ask func(ctx context.Context) (Credential, error)) *Key {
	return &Key{ask: ask, turn: make(chan struct{}, 1)}
}

// freshFor is how long a minted credential is used for changing a channel before it is renewed. It cannot be renewed for every change, because an
// ID token can be used only once, and GitLab issues only one per job.
const freshFor = time.Minute

// Get returns the cached credential, or requests one.
func (k *Key) Get(ctx context.Context) (Credential, error) {
	if err := k.lock(ctx); err != nil {
		return Credential{}, err
	}
	defer k.unlock()
	if !k.asked {
		return k.renew(ctx)
	}
	return k.held, k.err
}

// Fresh returns a credential for changing a channel. A CI credential expires within minutes, for example while packages are built or while the
// program waits for the user. Therefore Fresh renews a CI credential that is older than freshFor. If this fails, Fresh returns the old credential
// together with the error, because the server may still accept it.
func (k *Key) Fresh(ctx context.Context) (Credential, error) {
	if err := k.lock(ctx); err != nil {
		return Credential{}, err
	}
	defer k.unlock()
	if !k.asked || k.held.Minted && k.now().Sub(k.since) >= freshFor {
		return k.renew(ctx)
	}
	if k.err != nil {
		return k.held, k.err
	}
	return k.held, k.late
}

// renew requests a credential and caches the result. If ctx ends first, nothing is cached, and the next caller requests it again.
func (k *Key) renew(ctx context.Context) (Credential, error) {
	held, err := k.ask(ctx)
	if err != nil && ctx.Err() != nil {
		return Credential{}, context.Cause(ctx)
	}
	if err != nil && k.asked && k.err == nil {
		k.late, k.since = err, k.now()
		return k.held, err
	}
	k.asked, k.held, k.err, k.late, k.since = true, held, err, nil, k.now()
	return held, err
}

func (k *Key) lock(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}: // try this first, so that a cached credential is returned even if ctx is done
		return nil
	default:
	}
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (k *Key) unlock() { <-k.turn }

func (k *Key) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}
