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

// Config configures a runner. If a function is nil, jobs do not get what it would provide.
type Config struct {
	Runner     command.Runner
	Environ    []string // initial environment of a job, before GitHub's variables; it needs PATH and must have no credentials
	Installed  string   // PATH to search for programs that actions install
	Dir        string   // folder for job files; no other runner may use it
	Files      fs.FS    // the files of the commit
	Remote     string   // folder of a bare repository, from which checkout fetches and to which jobs may push
	Repository string   // repository as GitHub names it: owner/name
	API        string   // URL of GitHub's API; "" means https://api.github.com

	Registries         map[string]string // registry host to the HOST:PORT of its stand-in; other logins are only recorded
	Variables          map[string]string
	Secrets            map[string]string
	EnvironmentSecrets map[string]map[string]string // by environment
	Actions            map[string]StandIn           // by the text before the @, in lower case
	Parallel           int                          // maximum number of concurrent legs; 0 means the number of processors

	Token    func(Asked) (string, error)                               // returns a GITHUB_TOKEN for the grant
	AppToken func(rights map[string]string) (string, error)            // returns the token of a GitHub App, for create-github-app-token
	IDToken  func(Asked) (url, token string, err error)                // returns where to request an ID token; only called for jobs that may have one
	Ended    func(token string)                                        // called with a token of Token or IDToken when its job is over
	Approve  func(ctx context.Context, environment string) (err error) // waits until the environment is approved
	Log      func(leg, line string)                                    // receives each line of a job's output, with secrets masked

	// Submodules fills the submodules of the checkout in a folder, from other repositories. If nil, they are left empty.
	Submodules func(ctx context.Context, dir string) error

	// Home writes files for programs into a job's new HOME. If nil, HOME is empty.
	Home func(dir string) error

	// Image returns the PATH of a machine with the label, which replaces the PATH of Environ. If nil, that PATH is used.
	Image func(label string) (Image, error)

	// Python finds an interpreter of a version, such as 3.13 or 3.13.1, on this machine; "" if there is none. If nil, the one on Installed is used.
	Python func(version string) string

	// Script returns a script that replaces a program that an action installs. The script may run the program found on this machine or something
	// else. If nil, the program that was found is used.
	Script func(program, found string) string
}

// Image describes the initial state of a GitHub machine.
type Image struct {
	Path  string   // replaces PATH
	Lacks []string // programs that GitHub's machine has but this machine does not
}

// Asked describes a job that requests something from outside.
type Asked struct {
	Event       Event
	Workflow    string // the file of the job
	Called      bool   // the file was called by another file
	Job, Leg    string
	Environment string // "" for none
	Grant       rights.Grant
}

// Runner runs workflow files. Concurrent runs share its concurrency groups.
type Runner struct {
	Config
	*shared
}

// shared holds the state that runs share.
type shared struct {
	groups turns.Groups
	mu     sync.Mutex
	runs   int
	slots  chan struct{} // each running leg holds one
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

// With returns a runner with another configuration for the same machine. It shares concurrency groups and slots with r.
func (r *Runner) With(c Config) *Runner {
	return &Runner{
		Config: c,
		shared: r.shared,
	}
}

// Check returns the reason why a file cannot be run here for an event, or nil.
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
	github    *expression.Object // the part that all jobs share
	artifacts artifact.Store
	outer     context.Context // if it ends, everything stops immediately
	cancel    context.CancelCauseFunc
	notes     sync.Mutex
}

// Run runs a file for an event. If only is set, Run runs just that job and the jobs that it needs. An error means that the file cannot be run; a
// failed job is reported in the result.
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

// secretsFor returns the secrets of a run: none for an event of a fork.
func (r *Runner) secretsFor(e Event) map[string]string {
	if e.Fork {
		return nil
	}
	return r.Secrets
}

// note adds a note to the result, unless it is already there.
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

// doubt adds a doubt about a place in a file to the result, unless it is already there.
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

// admit checks that a file can be run here for an event, and returns the inputs of the run.
func (r *Runner) admit(w *file.Workflow, e *Event) (*expression.Object, error) {
	inputs, err := e.admit(w)
	if err != nil {
		return nil, err
	}
	return inputs, errors.Join(r.check(w, rights.Restricted, nil, file.Node{})...)
}
