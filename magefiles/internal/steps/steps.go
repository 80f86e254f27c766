// Package steps runs a list of steps and shows each. It is for work that can start from the beginning after a kill. Other work must use package
// workflow, in a session of package session.
//
// Steps do not check whether they are already done, and are not recorded. For example:
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

// Step is a part of the work.
type Step struct {
	Name string // name for display

	// When reports whether the step should run. It is called just before the step, so it may depend on earlier steps. If nil, the step always runs.
	When func() bool

	// Ask asks the user a question. It is called before the step is shown, so that the question does not overlap the progress line. If it returns an
	// error, the list ends. It may be nil.
	Ask func(ctx context.Context) error

	// Do performs the step and returns a line about its result. A panic is converted to an error.
	Do func(ctx context.Context) (evidence string, err error)
}

// Reporter shows a step to the user. Step must call f and return its error. view.View and view.Group implement Reporter. Other implementations may
// collect the results for a report.
type Reporter interface {
	Step(name string, f func() (evidence string, err error)) error
}

// Run runs the steps in order until one fails, and returns its error unchanged. After the context is canceled, it starts no further steps and returns
// the context's cause.
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
			evidence, err = "", operr.FromPanic(v)
		}
	}()
	return s.Do(ctx)
}
