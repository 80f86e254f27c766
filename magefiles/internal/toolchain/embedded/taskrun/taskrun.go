// Package taskrun runs the tasks of a pixi workspace without pixi. The caller provides the process environment, and mvdan.cc/sh takes the place
// of pixi's shell.
//
// pixi's shell is deno_task_shell (0.33.3 in pixi 0.77). It looks like bash but differs in details: "${X}" is not expanded, repeated blanks in a
// quoted variable are collapsed, and echo has no -n. Therefore, commands whose result could differ are never run. The task and all its
// dependencies are parsed first. If anything is outside the common subset of both shells, the error names it and gives the reason, and nothing is
// run. The subset consists of simple commands, pipelines, lists (&& || ; and lines), subshells, one redirection per command, quotes, $NAME, $(…)
// as a whole word, and plain file patterns. testdata/deno.json has the results of pixi's shell for each of these.
//
// These work as in pixi (pixi-facts.md §3): the choice of task and environment; dependencies, which run first, sequentially, once each, and stop
// at the first failure with its exit status; env, activation.env and the PIXI_* variables; the working folder; and lines, which continue after a
// failure unless set -e is on. The following differs: inputs and outputs are not compared, so a task always runs. Standard input is empty. If
// cat, cp, rm and the like fail, the program on PATH may have done more or less before the failure than pixi's command. >&2 and 2>&1 outside a
// pipeline work, while pixi 0.77 does not redirect a program's output.
//
//	taskrun.go   runs a task and its dependencies ([Run])
//	plan.go      determines the steps, their order and their arguments
//	environ.go   creates the process environment of each step, with the variables that pixi sets
//	refuse.go    rejects scripts outside the common subset
//	words.go     checks words and their expansions
//	commands.go  checks the options of commands that are built into pixi
//	shell.go     runs a script with mvdan.cc/sh
//	builtin.go   implements echo, pwd and test as in pixi
package taskrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// ErrRefused is wrapped by errors that explain why a task cannot run here exactly as in pixi.
var ErrRefused = errors.New("this task can be run only with pixi")

// Options selects the task to run and its environment.
type Options struct {
	Manifest    *manifest.Manifest
	Root        string   // folder of the manifest, absolute
	Task        string   // name
	Args        []string // appended to the task's command
	Environment string   // "" means the environment that pixi would choose; otherwise it also applies to dependencies
	Platform    string   // conda subdir that selects platform-specific tables: "linux-64"
	InitCwd     string   // the caller's folder; defaults to Root

	// Check returns an error that lists all problems with the required environments. It is called before the first of them is created; may be
	// nil.
	Check func(ctx context.Context, environments []string) error

	// Env creates the process environment for one of the manifest's environments, as KEY=VALUE, with PATH and CONDA_PREFIX set. It is called once
	// per required environment, after all checks that do not depend on it.
	Env func(ctx context.Context, environment string) ([]string, error)

	Runner command.Runner // runs child processes
	Stdout io.Writer
	Stderr io.Writer // receives a line before each task
}

// Run runs a task after its dependencies. For an unknown task or environment, the error has exit status 2 and lists the existing ones. A refusal
// wraps ErrRefused. If a command fails, the error is a *command.ExitError with its exit status, which is 127 if the program was not found.
func Run(ctx context.Context, o Options) error {
	if o.InitCwd == "" {
		o.InitCwd = o.Root
	}
	o.Stdout, o.Stderr = serialize(o.Stdout, o.Stderr)
	steps, err := makePlan(o)
	if err != nil {
		return err
	}
	if err := refusalError(steps); err != nil {
		return err
	}
	environments, err := prepare(ctx, o, steps)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.task.Alias {
			continue
		}
		announce(o.Stderr, s)
		if err := s.run(ctx, o, environments[s.environment]); err != nil {
			return fmt.Errorf("task %s: %w", s.task.Name, err)
		}
	}
	return nil
}

// refusalError combines the refusals of all steps into one error.
func refusalError(steps []*step) error {
	var all []string
	next := ""
	for _, s := range steps {
		for _, reason := range s.refusals {
			all = append(all, fmt.Sprintf("%s: task %s %s", s.task.Pos, s.task.Name, reason))
			if next == "" {
				next = advise(reason)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	summary := fmt.Sprintf("task %s cannot be run without pixi: %s", steps[len(steps)-1].task.Name, all[0])
	e := &operr.Error{Summary: summary, Next: next, Err: ErrRefused, Status: operr.Failed}
	return e.WithDetail(strings.Join(all[1:], "\n"))
}

func advise(reason string) string {
	if strings.HasPrefix(reason, callsPixi) {
		return "to build packages without pixi, run `mage build:all` or `mage build:package NAME`; for other tasks, install pixi (`mage doctor` says how)"
	}
	return "install pixi (`mage doctor` says how), or write the task with only the syntax that runs in the same way in both shells"
}

// announce prints the first line of a step's command.
func announce(w io.Writer, s *step) {
	first, rest, more := strings.Cut(strings.TrimSpace(s.command), "\n")
	if more && strings.TrimSpace(rest) != "" {
		first += " …"
	}
	note := ""
	if len(s.task.Inputs)+len(s.task.Outputs) > 0 {
		note = " (inputs and outputs are not compared)"
	}
	fmt.Fprintf(w, "task %s: %s%s\n", s.task.Name, first, note)
}

// serialize returns writers that are safe for concurrent use by the commands of a pipeline.
func serialize(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	lock := &sync.Mutex{}
	return &locked{Mutex: lock, w: stdout}, &locked{Mutex: lock, w: stderr}
}

type locked struct {
	*sync.Mutex
	w io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	if l.w == nil {
		return len(p), nil
	}
	return l.w.Write(p)
}
