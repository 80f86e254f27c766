package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/artifact"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/turns"
	"github.com/foopack/foopack/magefiles/internal/command"
)

// Config is what a runner is told. Where a function is nil, there is nothing of what it gives.
type Config struct {
	Runner     command.Runner
	Environ    []string // of a job, before all that GitHub sets: PATH at least, and no credential
	Installed  string   // where programs are that actions install: a PATH
	Dir        string   // for what jobs write: a folder of this runner alone
	Files      fs.FS    // the files of the commit
	Remote     string   // the folder of a bare repository: what checkout fetches from, and what jobs may push to
	Repository string   // as GitHub names it: owner/name
	API        string   // where GitHub's API is; "" is https://api.github.com

	Registries         map[string]string // HOST:PORT of what stands in for a registry of images, by its host; whoever logs in to another one is only recorded
	Variables          map[string]string
	Secrets            map[string]string
	EnvironmentSecrets map[string]map[string]string // by environment
	Actions            map[string]StandIn           // by what stands before the @, in lower case
	Parallel           int                          // how many legs run at a time; 0 is as many as there are processors

	Token    func(Asked) (string, error)                               // GITHUB_TOKEN, for the grant
	AppToken func(rights map[string]string) (string, error)            // the token of a GitHub App, as create-github-app-token gets one
	IDToken  func(Asked) (url, token string, err error)                // how a job gets an ID token: asked for those alone that may
	Ended    func(token string)                                        // ends what one of Token or IDToken is good for: the job is over
	Approve  func(ctx context.Context, environment string) (err error) // waits for those who have to approve
	Log      func(leg, line string)                                    // a line of a job's output, without secrets

	// Submodules fills those of a checkout, in its folder, which are of another repository. Nil leaves them empty.
	Submodules func(ctx context.Context, dir string) error

	// Home puts into the HOME of a job, which is new, what programs look for there. Nil puts nothing.
	Home func(dir string) error

	// Image is what the machine of a label has on PATH, in place of what Environ says. Nil leaves that.
	Image func(label string) (Image, error)

	// Python finds an interpreter of a version, such as 3.13 or 3.13.1, on this machine; "" where there is none. Nil takes that of Installed.
	Python func(version string) string

	// Script is what stands for a program that an action installs: a shell script that begins the one found on this machine, or something in its place.
	// Nil begins the one that was found.
	Script func(program, found string) string
}

// Image is what a machine of GitHub's begins with.
type Image struct {
	Path  string   // in place of PATH
	Lacks []string // programs that GitHub's machine has, and this one has not
}

// Asked is the job for which something is wanted from outside.
type Asked struct {
	Event       Event
	Workflow    string // the file that has the job
	Called      bool   // it is called by another one
	Job, Leg    string
	Environment string // "" for none
	Grant       rights.Grant
}

// Runner runs workflow files; runs at the same time know each other by their concurrency groups.
type Runner struct {
	Config
	*shared
}

// shared is what runs have in common.
type shared struct {
	groups turns.Groups
	mu     sync.Mutex
	runs   int
	slots  chan struct{} // taken by each leg that runs
}

// New makes a runner.
func New(c Config) *Runner {
	if c.Parallel <= 0 {
		c.Parallel = runtime.NumCPU()
	}
	return &Runner{
		Config: c,
		shared: &shared{slots: make(chan struct{}, c.Parallel)},
	}
}

// With is a runner of the same machine that is told something else: its runs and those of r wait for each other.
func (r *Runner) With(c Config) *Runner {
	return &Runner{
		Config: c,
		shared: r.shared,
	}
}

// Check is why a file cannot be run here for an event; nil where it can.
func (r *Runner) Check(w *file.Workflow, e Event) error {
	_, err := r.admit(w, &e)
	return err
}

// run is one run of a file.
type run struct {
	*Runner

	event     Event
	dir       string
	result    *Result
	github    *expression.Object // what is the same for all jobs
	artifacts artifact.Store
	outer     context.Context // where it ends, all stops at once
	cancel    context.CancelCauseFunc
	notes     sync.Mutex
}

// Run runs a file for an event; only is one of its jobs, with those that it needs, or "" for all. An error says why it cannot be run, and a job that
// fails is part of the result.
func (r *Runner) Run(ctx context.Context, w *file.Workflow, e Event, only string) (*Result, error) {
	inputs, err := r.admit(w, &e)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.runs++
	number := r.runs
	r.mu.Unlock()
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	one := &run{
		Runner: r,
		event:  e,
		dir:    filepath.Join(r.Dir, fmt.Sprintf("run-%d", number)),
		outer:  ctx,
		cancel: cancel,
		result: &Result{
			File:       w.File,
			Event:      e.Name,
			Ref:        e.Ref,
			Conclusion: Canceled,
		},
	}
	one.artifacts.Dir = filepath.Join(one.dir, "artifacts")
	one.github = e.context(r.Config, w, number)
	if err := os.MkdirAll(one.artifacts.Dir, 0o755); err != nil {
		return nil, err
	}
	f := &flow{
		run:     one,
		w:       w,
		inputs:  inputs,
		secrets: r.secretsFor(e),
		caller:  rights.Restricted,
		inherit: true,
	}
	if err := f.keepTo(only); err != nil {
		return nil, err
	}
	done, err := r.groups.Enter(inside, w.Top.At("concurrency"), f.eval(f.contexts()), cancel)
	if errors.Is(err, turns.ErrReplaced) {
		one.result.Why = err.Error()
		return one.result, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	defer done()
	one.result.Conclusion = f.jobs(inside)
	one.result.Jobs = f.out
	one.result.Artifacts = one.artifacts.Folders()
	return one.result, context.Cause(ctx)
}

// secretsFor are the secrets of a run: none of them for an event of a fork.
func (r *Runner) secretsFor(e Event) map[string]string {
	if e.Fork {
		return nil
	}
	return r.Secrets
}

// note is said once, in the result.
func (r *run) note(format string, args ...any) {
	r.notes.Lock()
	defer r.notes.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, n := range r.result.Notes {
		if n == text {
			return
		}
	}
	r.result.Notes = append(r.result.Notes, text)
}

// doubt is said once, in the result, at its place in a file.
func (r *run) doubt(err error) {
	r.notes.Lock()
	defer r.notes.Unlock()
	for _, other := range r.result.Doubts {
		if other.Error() == err.Error() {
			return
		}
	}
	r.result.Doubts = append(r.result.Doubts, err)
}

// admit holds a file and an event against what can be run here, and gives the inputs of the run.
func (r *Runner) admit(w *file.Workflow, e *Event) (*expression.Object, error) {
	inputs, err := e.admit(w)
	if err != nil {
		return nil, err
	}
	return inputs, errors.Join(r.check(w, rights.Restricted, nil, file.Node{})...)
}
