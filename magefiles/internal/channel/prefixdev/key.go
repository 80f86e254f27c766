package prefixdev

import (
	"context"
	"time"
)

// Key is the credential of an operation. It is asked for when something needs it, and once: a CI may give one ID token alone, and a server
// is asked whose a key is. What the asking came to counts for the whole operation, an error too. Its methods may be called side by side:
// while one asks, others wait for the answer, or for the end of their context.
type Key struct {
	Now func() time.Time // nil is the clock

	ask   func(ctx context.Context) (Credential, error)
	turn  chan struct{} // has room for one: whoever put something into it may touch what follows
	asked bool
	held  Credential
	err   error
	late  error     // why there is no newer one than what is held; nil where none was asked for in vain
	since time.Time // when it was held first, or another one was asked for last
}

// NewKey makes a key that ask gives when it is needed.
func NewKey(ask func(ctx context.Context) (Credential, error)) *Key {
	return &Key{ask: ask, turn: make(chan struct{}, 1)}
}

// freshFor is how long a minted credential changes a channel without a new one. An ID token is good once, and GitLab gives a job no
// second one.
const freshFor = time.Minute

// Get is the credential that is held, or asked for now.
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

// Fresh is Get for what changes a channel. What a CI gave ends within minutes, and may have ended while packages were built, a person
// was asked, or an index was waited for: another one is asked for then. Where there is none, what is held comes with the error: it may
// still be good, and the server knows.
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

// renew asks. That somebody ended the asking says nothing of the credential: whoever comes next asks again.
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
	case k.turn <- struct{}{}: // also where ctx has ended: what is held is known
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
