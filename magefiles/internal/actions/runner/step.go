package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
)

// scope is a list of steps to run: the steps of a leg, or of a composite action.
type scope struct {
	*leg

	steps  *expression.Object
	status *string // success, failure or cancelled: the status after the steps so far
	inputs *expression.Object
	env    *expression.Object // env of the step that uses the composite action, merged over the leg's env; nil for the steps of a leg
	action string             // the folder of the composite action; "" for the steps of a leg
	depth  int                // nesting depth of composite actions
}

// `runSteps` runs steps in order. After ctx has ended, a step runs only if its condition allows that.
func (s *scope) runSteps(ctx context.Context, list []file.Node) (done []*Step) {
	for _, n := range list {
		if s.outer.Err() != nil {
			break
		}
		st := &Step{
			Name: stepName(n),
			ID:   n.At("id").Text(),
			Line: n.Line(),
			Uses: n.At("uses").Text(),
		}
		done = append(done, st)
		began := time.Now()
		outputs := s.runStep(ctx, n, st)
		st.Took = time.Since(began)
		if st.ID != "" {
			s.steps.Set(st.ID, expression.NewObject("outputs", outputs, "outcome", st.Outcome, "conclusion", st.Conclusion))
		}
	}
	return done
}

// stepName returns the name that GitHub shows for a step.
func stepName(n file.Node) string {
	if name := n.At("name").Text(); name != "" {
		return name
	}
	if uses := n.At("uses").Text(); uses != "" {
		return "Run " + uses
	}
	first, _, _ := strings.Cut(strings.TrimSpace(n.At("run").Text()), "\n")
	return "Run " + first
}

// runStep runs a step, and returns its outputs.
func (s *scope) runStep(ctx context.Context, n file.Node, st *Step) *expression.Object {
	outputs := &expression.Object{}
	out := &output{
		step:    st,
		leg:     s.leg,
		outputs: func(name, value string) { outputs.Set(name, value) },
	}
	inside, cancel := ctx, context.CancelFunc(func() {})
	if ctx.Err() != nil {
		*s.status, s.leg.status = Canceled, Canceled
		inside, cancel = context.WithTimeoutCause(s.outer, cleanUp, errTimeout)
	}
	defer func() { cancel() }()
	defer func(before context.Context) { s.leg.during = before }(s.leg.during)
	s.leg.during = inside
	env := s.environment()
	err := s.addEnv(n.At("env"), s.contexts(env), env)
	contexts := s.contexts(env)
	runs := err == nil
	if runs {
		runs, err = n.At("if").Holds(s.condition(contexts))
	}
	if err == nil && !runs {
		st.Outcome, st.Conclusion = Skipped, Skipped
		return outputs
	}
	if name, nameErr := n.At("name").Value(s.evalIn(s.leg, contexts)); nameErr == nil && name != nil {
		st.Name = s.masks.Hide(expression.Text(name))
	}
	var allowed expression.Value
	if err == nil {
		allowed, err = n.At("continue-on-error").Value(s.evalIn(s.leg, contexts))
	}
	if limit := n.At("timeout-minutes"); err == nil && limit.Is() {
		var d time.Duration
		if d, err = s.minutes(limit, contexts, 0); err == nil {
			before := cancel
			timed, stop := context.WithTimeoutCause(inside, d, errStepTimeout)
			inside, cancel = timed, func() { stop(); before() }
			s.leg.during = inside
		}
	}
	switch {
	case err != nil:
	case st.Uses != "":
		err = s.use(inside, n, st, out, env, contexts)
	default:
		err = s.script(inside, n, out, env, contexts)
	}
	out.end()
	s.decide(ctx, inside, st, out, err, expression.Truthy(allowed))
	return outputs
}

var errStepTimeout = errors.New("the step took longer than its timeout-minutes")

// decide records the result of a step, and the status for the steps after it.
func (s *scope) decide(ctx, inside context.Context, st *Step, out *output, err error, allowed bool) {
	switch {
	case inside.Err() != nil && errors.Is(context.Cause(inside), errStepTimeout):
		out.fail("%v", errStepTimeout)
		st.Outcome = Failure
	case inside.Err() != nil:
		out.fail("the step was canceled: %v", context.Cause(inside))
		st.Outcome = Canceled
	case err != nil:
		out.fail("%v", err)
		st.Outcome = Failure
	case out.failed != "":
		st.Outcome = Failure
	default:
		st.Outcome = Success
	}
	st.Conclusion = st.Outcome
	switch {
	case st.Outcome == Failure && allowed:
		st.Conclusion = Success
	case ctx.Err() != nil:
		*s.status, s.leg.status = Canceled, Canceled
	case st.Outcome != Success && *s.status == Success:
		*s.status = Failure
	}
}

// environment returns `env` before a step adds its own variables.
func (s *scope) environment() *expression.Object {
	env := &expression.Object{Exact: true}
	env.SetAll(s.leg.env)
	if s.env != nil {
		env.SetAll(s.env)
	}
	return env
}

// contexts returns the contexts that the keys of a step may use.
func (s *scope) contexts(env *expression.Object) *expression.Object {
	all := &expression.Object{}
	for _, k := range s.leg.contexts.Keys() {
		if v, _ := s.leg.contexts.Get(k); s.action == "" || k != "secrets" {
			all.Add(k, v)
		}
	}
	github := &expression.Object{}
	github.SetAll(s.leg.github)
	if s.action != "" {
		github.Set("action_path", s.action)
	}
	for key, v := range map[string]*expression.Object{
		"github": github,
		"inputs": s.inputs,
		"steps":  s.steps,
		"env":    env,
		"job":    expression.NewObject("status", s.leg.status),
		"runner": expression.NewObject("os", "Linux", "arch", arch, "name", "rehearsal", "temp", s.temp, "tool_cache", s.tools, "environment", "github-hosted",
			"debug", ""),
	} {
		all.Set(key, v)
	}
	return all
}

// condition returns the environment in which the `if:` of a step is evaluated.
func (s *scope) condition(contexts *expression.Object) expression.Env {
	env := s.evalIn(s.leg, contexts)
	is := func(status string) func([]expression.Value) (expression.Value, error) {
		return func([]expression.Value) (expression.Value, error) { return *s.status == status, nil }
	}
	env.Functions["success"], env.Functions["failure"] = is(Success), is(Failure)
	env.Functions["cancelled"] = func([]expression.Value) (expression.Value, error) { return s.leg.status == Canceled, nil }
	env.Functions["always"] = func([]expression.Value) (expression.Value, error) { return true, nil }
	return env
}

// evalIn returns the environment for expressions that may read a leg's files.
func (f *flow) evalIn(l *leg, contexts *expression.Object) expression.Env {
	return expression.Env{
		Contexts: contexts,
		Functions: map[string]func([]expression.Value) (expression.Value, error){
			"hashfiles": func(a []expression.Value) (expression.Value, error) {
				patterns := make([]string, len(a))
				for i, v := range a {
					patterns[i] = expression.Text(v)
				}
				sum, err := glob.Hash(l.during, l.workspace, patterns)
				if err != nil {
					return nil, fmt.Errorf("hashFiles: %w", err)
				}
				return sum, nil
			},
		},
	}
}
