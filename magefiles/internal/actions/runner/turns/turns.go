// Package turns has runs and jobs wait for each other by their concurrency groups.
package turns

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// ErrCanceled is the cause of the context of what a newer one of its group cancels, and of all that GitHub would cancel: it is no error of the runner.
var ErrCanceled = errors.New("it was canceled")

// ErrReplaced is what a run, or a job, gets that waited in a group when a newer one came.
var ErrReplaced = errors.New("a newer one of the same concurrency group took its place while it waited")

// ErrFull is that of one that finds the longest queue.
var ErrFull = errors.New("the queue of its concurrency group is full")

// maxQueue is how many may wait in a group with `queue: max`.
const maxQueue = 100

// Groups are the concurrency groups of a repository: in each, one runs and one waits, the newest.
type Groups struct {
	mu  sync.Mutex
	all map[string]*group
}

type group struct {
	cancel  context.CancelCauseFunc // of the one that runs
	waiting []*waiter
}

type waiter struct {
	cancel context.CancelCauseFunc
	turn   chan error // gets nil when it is its turn, ErrReplaced where a newer one took its place
}

// Enter waits for a turn in the group that a `concurrency:` names, and returns what leaves it. cancel is that of the one that enters.
func (g *Groups) Enter(ctx context.Context, n file.Node, env expression.Env, cancel context.CancelCauseFunc) (leave func(), err error) {
	if !n.Is() {
		return func() {}, nil
	}
	v, err := n.Value(env)
	if err != nil {
		return nil, err
	}
	name, replace, queue := expression.Text(v), false, false
	if o, is := v.(*expression.Object); is {
		get := func(key string) expression.Value { v, _ := o.Get(key); return v }
		if v := get("cancel-in-progress"); v != nil && v != true && v != false {
			return nil, n.At("cancel-in-progress").Problem("cancel-in-progress has to be true or false, and is %q here", expression.Text(v))
		}
		name, replace, queue = expression.Text(get("group")), expression.Truthy(get("cancel-in-progress")), get("queue") == "max"
	}
	switch {
	case name == "":
		return nil, n.Problem("the concurrency group has no name here")
	case replace && queue:
		return nil, n.Problem("cancel-in-progress and queue: max exclude each other")
	}
	name = strings.ToLower(name)
	w := &waiter{
		cancel: cancel,
		turn:   make(chan error, 1),
	}
	if !g.wait(name, w, replace, queue) {
		select {
		case err := <-w.turn:
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			g.giveUp(name, w)
			return nil, context.Cause(ctx)
		}
	}
	return func() { g.leave(name) }, nil
}

// wait reports whether the group was free; else w waits.
func (g *Groups) wait(name string, w *waiter, replace, queue bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = map[string]*group{}
	}
	in := g.all[name]
	if in == nil {
		g.all[name] = &group{cancel: w.cancel}
		return true
	}
	switch {
	case !queue:
		for _, old := range in.waiting {
			old.turn <- ErrReplaced
		}
		in.waiting = nil
	case len(in.waiting) >= maxQueue:
		w.turn <- ErrFull
		return false
	}
	in.waiting = append(in.waiting, w)
	if replace {
		in.cancel(ErrCanceled)
	}
	return false
}

// leave gives the turn to the next one.
func (g *Groups) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.all[name]
	if len(in.waiting) == 0 {
		delete(g.all, name)
		return
	}
	next := in.waiting[0]
	in.cancel, in.waiting = next.cancel, in.waiting[1:]
	next.turn <- nil
}

// giveUp takes out one that waits no longer; where it has just been given its turn, it leaves.
func (g *Groups) giveUp(name string, w *waiter) {
	g.mu.Lock()
	if in := g.all[name]; in != nil {
		in.waiting = slices.DeleteFunc(in.waiting, func(other *waiter) bool { return other == w })
	}
	g.mu.Unlock()
	select {
	case err := <-w.turn:
		if err == nil {
			g.leave(name)
		}
	default:
	}
}
