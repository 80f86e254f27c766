package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/artifact"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// StandIn replaces an action, and implements the part of its behavior that matters.
type StandIn struct {
	Run    func(ctx context.Context, c *Call) error // an error fails the step
	Post   func(ctx context.Context, c *Call) error // runs at the end of the job, even if steps failed; nil does nothing
	Inputs []string                                 // all inputs of the action, in lower case; nil allows any input
	Bools  []string                                 // inputs that must be true or false; the action rejects any other value
	Local  string                                   // path of a composite action in the repository to use instead; "" for none
}

// Call is one step that uses an action.
type Call struct {
	Uses      string            // the text before the @
	With      map[string]string // the step's inputs, by lower-case name
	Workspace string
	Temp      string
	Home      string
	Tools     string // RUNNER_TOOL_CACHE
	Grant     rights.Grant
	Token     string
	Environ   []string // environment of child processes
	Event     Event
	Artifacts *artifact.Store

	*Config

	step  file.Node
	scope *scope
	out   *output
}

// Problem returns an error that points to an input of the step.
func (c *Call) Problem(key, format string, args ...any) error {
	at := c.step
	for _, p := range c.step.At("with").Pairs() {
		if strings.EqualFold(p.Key.Text(), key) {
			at = p.Value
		}
	}
	return at.Problem(format, args...)
}

// ProblemIn is like Problem, but points to a line of a multi-line input. Lines are counted from 0.
func (c *Call) ProblemIn(key string, line int, format string, args ...any) error {
	err := c.Problem(key, format, args...)
	var p *file.Problem
	if v := c.step.At("with", key); errors.As(err, &p) && v.IsBlock() {
		p.Line, p.Column = p.Line+1+line, 0
	}
	return err
}

// Watch turns an error of Problem into a doubt if a later step of the job prints the word.
func (c *Call) Watch(word string, err error) {
	c.scope.watched = append(c.scope.watched, watched{
		word: word,
		err:  err,
	})
}

// Doubt adds an error of Problem, which GitHub ignores silently, to the result. Repeated doubts are dropped.
func (c *Call) Doubt(err error) { c.scope.doubt(err) }

// Path resolves a path relative to the work folder.
func (c *Call) Path(name string) string { return resolve(c.Workspace, name) }

// Write appends a child's output to the step's log.
func (c *Call) Write(p []byte) (int, error) { return c.out.Write(p) }

// Output sets an output of the step.
func (c *Call) Output(name, value string) { c.out.outputs(name, value) }

// Say writes a line to the step's log.
func (c *Call) Say(format string, args ...any) { c.out.say(format, args...) }

// Warn is like Say, but writes a warning.
func (c *Call) Warn(format string, args ...any) { c.out.warn(format, args...) }

// Note adds a difference from GitHub to the result. Repeated notes are dropped.
func (c *Call) Note(format string, args ...any) { c.scope.note(format, args...) }

// IsSecret reports whether a value is masked in logs.
func (c *Call) IsSecret(value string) bool { return c.scope.masks.Hide(value) != value }

// AddPath prepends a folder to PATH for all later steps.
func (c *Call) AddPath(dir string) { c.scope.addPath(dir) }

// Setenv sets an environment variable for all later steps.
func (c *Call) Setenv(name, value string) { c.scope.leg.env.Set(name, value) }

// Input returns an input of the step, or the default otherwise.
func (c *Call) Input(name, otherwise string) string {
	if v := strings.TrimSpace(c.With[name]); v != "" {
		return v
	}
	return otherwise
}

// bools holds the spellings of true and false that `getBooleanInput` of @actions/core accepts.
var bools = map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false}

// Bool parses a boolean input. It reports other values as doubts and returns false, because actions usually compare with "true". Inputs in Bools of
// a [StandIn] are rejected instead.
func (c *Call) Bool(name string, otherwise bool) bool {
	text := c.Input(name, strconv.FormatBool(otherwise))
	is, known := bools[text]
	if !known {
		c.Doubt(c.Problem(name, "the input %s of %s is neither true nor false, and counts as false: %q", name, c.Uses, text))
	}
	return is
}

// `checkKnown` rejects an action without a stand-in.
func (r *Runner) checkKnown(n file.Node) error {
	uses := n.Text()
	name, version := file.ActionName(uses)
	switch {
	case !n.Is(), strings.HasPrefix(uses, "./"):
		return nil
	case strings.HasPrefix(uses, "docker://"):
		return n.Elsewhere("an action that runs in a container is not run here: %s", uses)
	case version == "":
		return n.Problem("%q has no version after an @", uses)
	case r.Actions[name].Run == nil && r.Actions[name].Local == "":
		return n.Elsewhere("there is no stand-in for the action %s, whose own code is not run here. Move its work into a script, or into an action of the "+
			"repository (uses: ./…), or set [tool.release.actions] \"%s\" = \"nothing\", or to the path of such an action. Existing stand-ins: %s", name, name, strings.Join(slices.Sorted(maps.Keys(r.Actions)), ", "))
	}
	return nil
}

// use runs the action of a step.
func (s *scope) use(ctx context.Context, n file.Node, st *Step, out *output, env, contexts *expression.Object) error {
	v, err := n.At("with").Value(s.evalIn(s.leg, contexts))
	if err != nil {
		return err
	}
	with := map[string]string{}
	if o, is := v.(*expression.Object); is {
		for _, k := range o.Keys() {
			v, _ := o.Get(k)
			with[strings.ToLower(k)] = expression.Text(v)
		}
	}
	name, _ := file.ActionName(st.Uses)
	action := s.Actions[name]
	local, is := strings.CutPrefix(st.Uses, "./")
	if st.StandIn = action.Local != ""; st.StandIn {
		local = action.Local
	}
	if is || st.StandIn {
		own := &expression.Object{Exact: true}
		if s.env != nil {
			own.SetAll(s.env)
		}
		if err := s.addEnv(n.At("env"), contexts, own); err != nil {
			return err
		}
		return s.composite(ctx, filepath.Join(s.workspace, filepath.FromSlash(local)), n, st, out, own, with)
	}
	if err := s.checkKnown(n.At("uses")); err != nil {
		return err
	}
	st.StandIn = true
	for k := range with {
		if action.Inputs != nil && !slices.Contains(action.Inputs, k) {
			out.warn("unexpected input %q of %s: it has %s", k, name, strings.Join(action.Inputs, ", "))
		}
	}
	call := &Call{
		Uses:      name,
		With:      with,
		Workspace: s.workspace,
		Temp:      s.temp,
		Home:      s.home,
		Tools:     s.tools,
		Grant:     s.leg.out.Grant,
		Token:     s.token,
		Environ:   s.childEnv(env),
		Event:     s.event,
		Artifacts: &s.artifacts,
		Config:    &s.Config,
		step:      n,
		scope:     s,
		out:       out,
	}
	for _, k := range action.Bools {
		v := call.Input(k, "false")
		if _, known := bools[v]; !known {
			return call.Problem(k, "the input %s of %s must be true or false, but is %q", k, name, v)
		}
	}
	if action.Post != nil {
		s.leg.posts = append(s.leg.posts, post{name: st.Name, call: call, do: action.Post})
	}
	return action.Run(ctx, call)
}

// post is an action's cleanup at the end of the job.
type post struct {
	name string
	call *Call
	do   func(ctx context.Context, c *Call) error
}

// runPostSteps runs the cleanups of actions at the end of the job, in reverse order, even after a failure or cancellation.
func (s *scope) runPostSteps() (done []*Step) {
	ctx, cancel := context.WithTimeoutCause(s.outer, cleanUp, errTimeout)
	defer cancel()
	for _, p := range slices.Backward(s.leg.posts) {
		st := &Step{
			Name:    "Post " + p.name,
			Line:    p.call.step.Line(),
			Uses:    p.call.Uses,
			StandIn: true,
		}
		began := time.Now()
		p.call.out = &output{
			step:    st,
			leg:     s.leg,
			outputs: func(string, string) {},
		}
		err := p.do(ctx, p.call)
		p.call.out.end()
		s.decide(ctx, ctx, st, p.call.out, err, false)
		st.Took = time.Since(began)
		done = append(done, st)
	}
	return done
}

// Status returns the status of the job: success, failure or cancelled.
func (c *Call) Status() string { return c.scope.leg.status }

// maxAction is the maximum size of an action.yml, in bytes.
const maxAction = 1 << 20

// maxComposites is the maximum nesting depth of composite actions.
const maxComposites = 10

// composite runs the steps in the action.yml of an action in the repository.
func (s *scope) composite(ctx context.Context, dir string, n file.Node, st *Step, out *output, env *expression.Object, with map[string]string) error {
	var data []byte
	var name string
	err := os.ErrNotExist
	for _, name = range []string{"action.yml", "action.yaml"} {
		if data, err = beneath.ReadAtMost(filepath.Join(dir, name), maxAction); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return n.At("uses").Problem("%v", err)
	}
	if err != nil {
		return n.At("uses").Problem("there is no action.yml in %s (is a checkout missing before this step?)", st.Uses)
	}
	read, err := filepath.Rel(s.workspace, filepath.Join(dir, name))
	if err != nil {
		return err
	}
	action, err := file.ReadAction(filepath.ToSlash(read), data)
	if err != nil {
		return err
	}
	if using := action.At("runs", "using").Text(); using != "composite" {
		return action.At("runs").Elsewhere("an action that runs with %q is not run here: only composite actions are", using)
	}
	inner := &scope{
		leg:    s.leg,
		steps:  &expression.Object{},
		inputs: &expression.Object{},
		env:    env,
		action: dir,
		depth:  s.depth + 1,
	}
	status := Success
	if inner.status = &status; inner.depth > maxComposites {
		return fmt.Errorf("composite actions use each other more than %d levels deep", maxComposites)
	}
	for _, p := range action.At("inputs").Pairs() {
		key := strings.ToLower(p.Key.Text())
		var v expression.Value = with[key]
		if _, given := with[key]; !given {
			if v, err = p.Value.At("default").Value(s.evalIn(s.leg, s.contexts(inner.environment()))); err != nil {
				return err
			}
			if v == nil && p.Value.At("required").True() {
				out.warn("the input %s of %s is required, but the step does not set this input", p.Key.Text(), st.Uses)
			}
		}
		delete(with, key)
		inner.inputs.Add(p.Key.Text(), expression.Text(v))
	}
	for k := range with {
		out.warn("unexpected input %q of %s", k, st.Uses)
	}
	st.Steps = inner.runSteps(ctx, action.At("runs", "steps").Items())
	for _, p := range action.At("outputs").Pairs() {
		v, err := p.Value.At("value").Value(s.evalIn(s.leg, inner.contexts(inner.environment())))
		if err != nil {
			return err
		}
		out.outputs(p.Key.Text(), expression.Text(v))
	}
	for _, step := range st.Steps {
		if step.Conclusion == Failure {
			return fmt.Errorf("the action's step %q failed", step.Name)
		}
	}
	return nil
}
