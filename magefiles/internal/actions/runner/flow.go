package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/matrix"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/turns"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// flow is one file of a run: the file that the event started, or a file that a job calls.
type flow struct {
	*run

	w       *file.Workflow
	path    string // path of the calling jobs, as in "deploy/"; "" for the file that the event started
	inputs  *expression.Object
	secrets map[string]string
	caller  rights.Grant // permissions of its jobs if the file does not set any
	inherit bool         // whether its jobs get environment secrets; in a called file, only if the caller sets `secrets: inherit`
	out     []*Job
	states  map[string]*state
}

// state is the state of a job. All fields except done are only read after done is closed.
type state struct {
	job    *file.Job
	out    *Job
	result string // result that other jobs see: a failure that continue-on-error allows counts as success
	done   chan struct{}
	mu     sync.Mutex // guards the outputs, which legs share
}

// keepTo drops all jobs except one and the jobs that it needs; "" keeps all.
func (f *flow) keepTo(only string) error {
	wanted := map[string]bool{}
	var want func(id string)
	want = func(id string) {
		if !wanted[id] {
			wanted[id] = true
			for _, need := range f.w.Jobs[f.index(id)].Needs {
				want(need)
			}
		}
	}
	if only != "" {
		if f.index(only) < 0 {
			var ids []string
			for _, j := range f.w.Jobs {
				ids = append(ids, j.ID)
			}
			return operr.NewUsage("pass one of these jobs with -job", "%s has no job %q: its jobs are %s", f.w.File, only, strings.Join(ids, ", "))
		}
		want(only)
	}
	f.states = map[string]*state{}
	for _, j := range f.w.Jobs {
		if only == "" || wanted[j.ID] {
			s := &state{
				job:  j,
				out:  &Job{Line: j.Line, ID: f.path + j.ID, Outputs: map[string]string{}},
				done: make(chan struct{}),
			}
			f.states[j.ID], f.out = s, append(f.out, s.out)
		}
	}
	return nil
}

func (f *flow) index(id string) int {
	return slices.IndexFunc(f.w.Jobs, func(j *file.Job) bool { return j.ID == id })
}

// jobs runs all jobs of the file, each after the jobs that it needs, and returns the combined result.
func (f *flow) jobs(ctx context.Context) string {
	var all sync.WaitGroup
	for _, s := range f.states {
		all.Go(func() {
			defer close(s.done)
			for _, need := range s.job.Needs {
				<-f.states[need].done
			}
			f.job(ctx, s)
		})
	}
	all.Wait()
	var results []string
	for _, s := range f.states {
		results = append(results, s.result)
	}
	return combine(results)
}

// `combine` merges several results into one.
func combine(results []string) string {
	for _, r := range []string{Failure, Canceled, Success} {
		if slices.Contains(results, r) {
			return r
		}
	}
	return Skipped
}

// contexts returns the contexts of the whole file, plus additional contexts by name.
func (f *flow) contexts(further ...any) *expression.Object {
	vars := &expression.Object{}
	for _, k := range slices.Sorted(maps.Keys(f.Variables)) {
		vars.Add(k, f.Variables[k])
	}
	return expression.NewObject(append([]any{"github", f.github, "inputs", f.inputs, "vars", vars}, further...)...)
}

// eval returns the environment for expressions outside conditions.
func (f *flow) eval(contexts *expression.Object) expression.Env {
	return expression.Env{Contexts: contexts}
}

// needs returns a job's `needs` context: the results and outputs of the jobs that it names.
func (f *flow) needs(j *file.Job) *expression.Object {
	needs := &expression.Object{}
	for _, id := range j.Needs {
		s := f.states[id]
		outputs := &expression.Object{}
		for _, k := range slices.Sorted(maps.Keys(s.out.Outputs)) {
			outputs.Add(k, s.out.Outputs[k])
		}
		needs.Add(id, expression.NewObject("result", s.result, "outputs", outputs))
	}
	return needs
}

// `before` returns the results of all jobs on which a job depends, directly or indirectly. With named, it returns only the results of those jobs.
func (f *flow) before(j *file.Job, named []string) (results []string) {
	seen := map[string]bool{}
	var visit func(ids []string, deeper bool)
	visit = func(ids []string, deeper bool) {
		for _, id := range ids {
			if s := f.states[id]; s != nil && !seen[id] {
				seen[id] = true
				results = append(results, s.result)
				if deeper {
					visit(s.job.Needs, true)
				}
			}
		}
	}
	if len(named) > 0 {
		visit(named, false)
		return results
	}
	visit(j.Needs, true)
	return results
}

// condition returns the environment in which the `if:` of a job is evaluated.
func (f *flow) condition(ctx context.Context, j *file.Job, contexts *expression.Object) expression.Env {
	canceled := ctx.Err() != nil
	named := func(a []expression.Value) (ids []string) {
		for _, v := range a {
			ids = append(ids, expression.Text(v))
		}
		return ids
	}
	return expression.Env{
		Contexts: contexts,
		Functions: map[string]func([]expression.Value) (expression.Value, error){
			"success": func(a []expression.Value) (expression.Value, error) {
				return !canceled && !slices.ContainsFunc(f.before(j, named(a)), func(r string) bool { return r != Success }), nil
			},
			"failure": func(a []expression.Value) (expression.Value, error) {
				return !canceled && slices.Contains(f.before(j, named(a)), Failure), nil
			},
			"cancelled": func([]expression.Value) (expression.Value, error) { return canceled, nil },
			"always":    func([]expression.Value) (expression.Value, error) { return true, nil },
		},
	}
}

// job decides whether a job runs, and runs its legs.
func (f *flow) job(ctx context.Context, s *state) {
	needs := f.needs(s.job)
	end := func(result, why string, args ...any) {
		s.result, s.out.Conclusion = result, result
		s.out.Why = fmt.Sprintf(why, args...)
	}
	runs, err := s.job.Node.At("if").Holds(f.condition(ctx, s.job, f.contexts("needs", needs)))
	switch {
	case err != nil:
		end(Failure, "%v", err)
		return
	case !runs && ctx.Err() != nil:
		end(Canceled, "the run was canceled before the job began")
		return
	case !runs:
		end(Skipped, "its condition is not met (line %d)", s.job.Node.At("if").Line())
		if !s.job.Node.At("if").Is() {
			s.out.Why = "a job that it needs did not succeed"
		}
		return
	}
	legs, err := f.legs(s, needs)
	if err != nil {
		end(Failure, "%v", err)
		return
	}
	legsCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failFast := true
	if v, _ := legs[0].strategy.Get("fail-fast"); v != nil {
		failFast = expression.Truthy(v)
	}
	limit := make(chan struct{}, legs[0].parallel)
	var all sync.WaitGroup
	for _, l := range legs {
		all.Go(func() {
			select {
			case limit <- struct{}{}:
				defer func() { <-limit }()
				l.runAndRecord(legsCtx)
			case <-legsCtx.Done():
				l.end(Canceled, "the job was canceled before it began")
			}
			if l.out.Conclusion == Failure && !l.out.Allowed && failFast {
				cancel(turns.ErrCanceled)
			}
		})
	}
	all.Wait()
	var seen, results []string
	for _, l := range legs {
		r := l.out.Conclusion
		if seen = append(seen, r); l.out.Allowed {
			r = Success
		}
		results = append(results, r)
	}
	s.out.Conclusion, s.result = combine(seen), combine(results)
}

// legs returns the legs of a job, one for each combination of its matrix.
func (f *flow) legs(s *state, needs *expression.Object) ([]*leg, error) {
	n := s.job.Node
	env := f.eval(f.contexts("needs", needs))
	matrices := []*expression.Object{nil}
	if m := n.At("strategy", "matrix"); m.Is() {
		v, err := m.Value(env)
		if err != nil {
			return nil, err
		}
		if matrices, err = matrix.Expand(v); err != nil {
			var empty *matrix.EmptyError
			if errors.As(err, &empty) && m.At(empty.Key).Is() {
				m = m.At(empty.Key)
			}
			return nil, m.Problem("%v", err)
		}
	}
	value := func(key string) (expression.Value, error) { return n.At("strategy", key).Value(env) }
	failFast, err := value("fail-fast")
	if err != nil {
		return nil, err
	}
	most, err := value("max-parallel")
	if err != nil {
		return nil, err
	}
	parallel := len(matrices)
	if f, is := most.(float64); is && f >= 1 && int(f) < parallel {
		parallel = int(f)
	}
	if failFast == nil {
		failFast = true
	}
	var legs []*leg
	for i, m := range matrices {
		l := &leg{
			flow:  f,
			state: s,
			node:  n,
			strategy: expression.NewObject("fail-fast", failFast, "job-index", float64(i), "job-total", float64(len(matrices)),
				"max-parallel", float64(parallel)),
			parallel: parallel,
			out: &Leg{
				Matrix: m,
				Began:  time.Now(),
				Node:   n,
				Rights: f.rightsOf(n),
			},
			needs: needs,
		}
		if of, is := f.Runner.Runner.(interface{ Environ() []string }); is {
			l.masks.Keep(command.Secrets(of.Environ()))
		}
		if m == nil {
			m = &expression.Object{}
		}
		l.matrix = m
		l.contexts = f.contexts("needs", needs, "strategy", l.strategy, "matrix", m)
		l.out.Name, err = l.name()
		if err != nil {
			return nil, err
		}
		legs, s.out.Legs = append(legs, l), append(s.out.Legs, l.out)
	}
	return legs, nil
}

// rightsOf returns the permissions of a job, or of the whole file if the job sets none.
func (f *flow) rightsOf(job file.Node) file.Node {
	if own := job.At("permissions"); own.Is() {
		return own
	}
	return f.w.Top.At("permissions")
}

// setOutput sets an output of the job. If several legs set it, the last value that is not empty wins.
func (s *state) setOutput(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.out.Outputs[name]; !there || value != "" {
		s.out.Outputs[name] = value
	}
}
