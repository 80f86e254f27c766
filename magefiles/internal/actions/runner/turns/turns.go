// Package turns implements concurrency groups, in which runs and jobs wait for each other.
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

// ErrCanceled is the context's cause when a newer run or job of the group cancels this one, as GitHub would. It does not indicate a runner error.
var ErrCanceled = errors.New("the run or job was canceled")

// ErrReplaced is returned to a waiting run or job when a newer one replaces it in the queue.
var ErrReplaced = errors.New("a newer run or job of the same concurrency group replaced the waiting run or job")

// ErrFull is returned to a run or job if the queue is full.
var ErrFull = errors.New("the queue of the concurrency group is full")

// maxQueue is the number of runs or jobs that can wait in a group with `queue: max`.
const maxQueue = 100

// Groups holds a repository's concurrency groups. In each, one run or job is active and the newest waits.
type Groups struct {
	mu  sync.Mutex
	all map[string]*group
}

type group struct {
	cancel  context.CancelCauseFunc // cancels the active run or job
	waiting []*waiter
}

type waiter struct {
	cancel context.CancelCauseFunc
	turn   chan error // receives nil when it may start, or ErrReplaced if a newer one replaced it
}

// Enter waits for its turn in the group that `concurrency:` names, and returns a function that leaves the group. Calling cancel must cancel the
// entering run or job.
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
			return nil, n.At("cancel-in-progress").Problem("cancel-in-progress must be true or false, but is %q here", expression.Text(v))
		}
		name, replace, queue = expression.Text(get("group")), expression.Truthy(get("cancel-in-progress")), get("queue") == "max"
	}
	switch {
	case name == "":
		return nil, n.Problem("the name of the concurrency group is empty here")
	case replace && queue:
		return nil, n.Problem("cancel-in-progress cannot be combined with `queue: max`")
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

// wait reports whether the group was free. Otherwise w is queued.
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

// leave activates the next waiter.
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

// giveUp removes w, which stopped waiting, from the queue. If w has just become active, giveUp leaves the group.
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
