// Package commandtest replaces child processes in tests: Script is a command.Runner that runs Go functions.
package commandtest

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Script runs the function for the program's base name, and records every call. A program without a function is not found, as on a machine that lacks
// it.
type Script struct {
	Programs map[string]func(ctx context.Context, c command.Cmd) error

	mu    sync.Mutex
	calls []string
}

// Run implements command.Runner.
func (s *Script) Run(ctx context.Context, c command.Cmd) error {
	command.Record(c)
	s.mu.Lock()
	s.calls = append(s.calls, strings.Join(append([]string{c.Name}, c.Args...), " "))
	s.mu.Unlock()
	f, ok := s.Programs[path.Base(c.Name)]
	if !ok {
		return fmt.Errorf("%s: %w", c.Name, command.ErrNotFound)
	}
	return f(ctx, c)
}

// Calls returns the command lines so far, in order.
func (s *Script) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Exit returns a program that writes stderr and ends with the status.
func Exit(code int, stderr string) func(context.Context, command.Cmd) error {
	return func(_ context.Context, c command.Cmd) error {
		if c.Stderr != nil {
			_, _ = fmt.Fprint(c.Stderr, stderr)
		}
		if code == 0 {
			return nil
		}
		return &command.ExitError{Name: path.Base(c.Name), Code: code, Tail: stderr}
	}
}
