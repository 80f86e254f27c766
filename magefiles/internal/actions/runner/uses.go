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

// StandIn does what an action does, as far as it matters.
type StandIn struct {
	Run    func(ctx context.Context, c *Call) error // an error fails the step
	Post   func(ctx context.Context, c *Call) error // what it does at the end of the job, whatever came of the steps; nil for nothing
	Inputs []string                                 // all that the action has, in lower case; nil lets everything pass
	Bools  []string                                 // those that the action reads as true or false, and refuses to read otherwise
	Local  string                                   // a composite action of the repository that is used in its place, as a path from its top; "" for none
}

// Call is one step that uses an action.
type Call struct {
	Uses      string            // what stands before the @
	With      map[string]string // what the step gives, by its names in lower case
	Workspace string
	Temp      string
	Home      string
	Tools     string // RUNNER_TOOL_CACHE
	Grant     rights.Grant
	Token     string
	Environ   []string // for children
	Event     Event
	Artifacts *artifact.Store

	*Config

	step  file.Node
	scope *scope
	out   *output
}

// Problem is an error at the place of what the step gives by a key.
func (c *Call) Problem(key, format string, args ...any) error {
	at := c.step
	for _, p := range c.step.At("with").Pairs() {
		if strings.EqualFold(p.Key.Text(), key) {
			at = p.Value
		}
	}
	return at.Problem(format, args...)
}

// ProblemIn is Problem at a line, from 0, of a text of several lines.
func (c *Call) ProblemIn(key string, line int, format string, args ...any) error {
	err := c.Problem(key, format, args...)
	var p *file.Problem
	if v := c.step.At("with", key); errors.As(err, &p) && v.IsBlock() {
		p.Line, p.Column = p.Line+1+line, 0
	}
	return err
}

// Watch makes an error of Problem a doubt as soon as a later step of the job says a word.
func (c *Call) Watch(word string, err error) {
	c.scope.watched = append(c.scope.watched, watched{
		word: word,
		err:  err,
	})
}

// Doubt says once, in the result, what GitHub passes over in silence: an error of Problem.
func (c *Call) Doubt(err error) { c.scope.doubt(err) }

// Path is a path as the step gives it: a relative one is one of the work folder.
func (c *Call) Path(name string) string { return resolve(c.Workspace, name) }

// Write adds to the step's log what a child says.
func (c *Call) Write(p []byte) (int, error) { return c.out.Write(p) }

// Output sets an output of the step.
func (c *Call) Output(name, value string) { c.out.outputs(name, value) }

// Say writes a line into the step's log, and Warn one that is an annotation.
func (c *Call) Say(format string, args ...any) { c.out.say(format, args...) }

// Warn is Say for what people should look at.
func (c *Call) Warn(format string, args ...any) { c.out.warn(format, args...) }

// Note says once, in the result, what is not as it would be on GitHub.
func (c *Call) Note(format string, args ...any) { c.scope.note(format, args...) }

// IsSecret reports whether a value is masked in logs.
func (c *Call) IsSecret(value string) bool { return c.scope.masks.Hide(value) != value }

// AddPath puts a folder in front of PATH for all further steps, and Setenv sets a variable for them.
func (c *Call) AddPath(dir string) { c.scope.addPath(dir) }

// Setenv sets a variable for all further steps.
func (c *Call) Setenv(name, value string) { c.scope.leg.env.Set(name, value) }

// Input is what the step gives, or else what the action has by itself.
func (c *Call) Input(name, otherwise string) string {
	if v := strings.TrimSpace(c.With[name]); v != "" {
		return v
	}
	return otherwise
}

// bools are what `getBooleanInput` of @actions/core takes for true and false.
var bools = map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false}

// Bool is Input where that is true or false. What is neither is false, as to an action that looks for true, and doubtful; for Bools of a [StandIn] it is refused.
func (c *Call) Bool(name string, otherwise bool) bool {
	text := c.Input(name, strconv.FormatBool(otherwise))
	is, known := bools[text]
	if !known {
		c.Doubt(c.Problem(name, "%s of %s is neither true nor false, and taken for false: %q", name, c.Uses, text))
	}
	return is
}

// known refuses an action that nothing stands in for.
func (r *Runner) known(n file.Node) error {
	uses := n.Text()
	name, version := file.ActionName(uses)
	switch {
	case !n.Is(), strings.HasPrefix(uses, "./"):
		return nil
	case strings.HasPrefix(uses, "docker://"):
		return n.Elsewhere("an action that is an image is not run here: %s", uses)
	case version == "":
		return n.Problem("%q has no version behind an @", uses)
	case r.Actions[name].Run == nil && r.Actions[name].Local == "":
		return n.Elsewhere("nothing stands in for the action %s: the code of others is not run here. Move what it does into a script, or into an action of the "+
			"repository (uses: ./…), or name a stand-in: [tool.release.actions] \"%s\" = \"nothing\", or the path of such an action. Stand-ins that there are: %s", name, name, strings.Join(slices.Sorted(maps.Keys(r.Actions)), ", "))
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
	if err := s.known(n.At("uses")); err != nil {
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
			return call.Problem(k, "%s of %s is true or false, and not %q", k, name, v)
		}
	}
	if action.Post != nil {
		s.leg.posts = append(s.leg.posts, post{name: st.Name, call: call, do: action.Post})
	}
	return action.Run(ctx, call)
}

// post is what an action does at the end of the job.
type post struct {
	name string
	call *Call
	do   func(ctx context.Context, c *Call) error
}

// afterwards runs what actions do at the end of the job, the last one first. They run after a failure and a cancellation too.
func (s *scope) afterwards() (done []*Step) {
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

// Status is how the job stands: success, failure or cancelled.
func (c *Call) Status() string { return c.scope.leg.status }

// maxAction is how large an action.yml may be, in bytes.
const maxAction = 1 << 20

// maxComposites is how deep composite actions may use each other.
const maxComposites = 10

// composite runs an action of the repository, whose steps stand in its action.yml.
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
		return n.At("uses").Problem("there is no action.yml in %s (is a checkout missing before it?)", st.Uses)
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
		return action.At("runs").Elsewhere("an action that runs with %q is not run here: only composite ones are", using)
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
				out.warn("the input %s of %s is required, and the step does not give it", p.Key.Text(), st.Uses)
			}
		}
		delete(with, key)
		inner.inputs.Add(p.Key.Text(), expression.Text(v))
	}
	for k := range with {
		out.warn("unexpected input %q of %s", k, st.Uses)
	}
	st.Steps = inner.all(ctx, action.At("runs", "steps").Items())
	for _, p := range action.At("outputs").Pairs() {
		v, err := p.Value.At("value").Value(s.evalIn(s.leg, inner.contexts(inner.environment())))
		if err != nil {
			return err
		}
		out.outputs(p.Key.Text(), expression.Text(v))
	}
	for _, step := range st.Steps {
		if step.Conclusion == Failure {
			return fmt.Errorf("its step %q failed", step.Name)
		}
	}
	return nil
}
