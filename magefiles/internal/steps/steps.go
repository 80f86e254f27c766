// Package steps runs a plain list of steps and shows each: it is the right one for what may be begun again from its first step after a
// kill, and package workflow, within a session of package session, is for what must not be.
//
// A step of a plain list asks nobody whether it is done, and nothing of it is recorded:
//
//	err := steps.Run(ctx, view,
//		steps.Step{Name: "look", Do: look},
//		steps.Step{Name: "send", Ask: agree, Do: send},
//	)
package steps

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Step is one part of what is done.
type Step struct {
	Name string // that people read

	// When reports whether the step is for this run. It is asked when its turn comes, so that steps above may decide it. Nil is for every run.
	When func() bool

	// Ask puts a question to a person before the step is shown, so that no line of a step under way collides with it. Its error ends the
	// list. Nil asks nothing.
	Ask func(ctx context.Context) error

	// Do does it, and returns what it saw, in a line. A panic in it is its error.
	Do func(ctx context.Context) (evidence string, err error)
}

// Reporter shows a step to a person: it calls f, and returns its error. A view.View is one, and so is a view.Group. One of its own that
// keeps what it is told makes a report.
type Reporter interface {
	Step(name string, f func() (evidence string, err error)) error
}

// Run takes the steps in their order, up to the first error, which it returns as it is. When the context ends no further step is begun,
// and its cause is the error.
func Run(ctx context.Context, to Reporter, all ...Step) error {
	for _, s := range all {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if s.When != nil && !s.When() {
			continue
		}
		if s.Ask != nil {
			if err := s.Ask(ctx); err != nil {
				return err
			}
		}
		if err := to.Step(s.Name, func() (string, error) { return s.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (s Step) do(ctx context.Context) (evidence string, err error) {
	defer func() {
		if v := recover(); v != nil {
			evidence, err = "", operr.Panicked(v)
		}
	}()
	return s.Do(ctx)
}
