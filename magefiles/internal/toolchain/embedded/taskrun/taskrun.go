// Package taskrun runs the tasks of a pixi workspace where there is no pixi: in a process environment that somebody
// else has made, with mvdan.cc/sh in place of pixi's shell.
//
// pixi's shell is deno_task_shell (0.33.3 in pixi 0.77), which looks like bash and is not: "${X}" is text to it, a
// quoted variable loses double blanks, echo knows no -n. Therefore nothing is run that could come out differently: the
// whole closure of a task's dependencies is read first, and what is outside the common subset of both shells is refused
// by name, with the reason, before anything is started. The subset is simple commands, pipelines, lists (&& || ; and
// lines), subshells, one redirection per command, quotes, $NAME, $(…) as a word of its own, and plain file patterns;
// testdata/deno.json holds what pixi's shell made of each.
//
// What is the same as in pixi (pixi-facts.md §3): which task and which environment is chosen; dependencies first, one
// after the other, each once, stopping at the first failure with its exit status; env, activation.env and the PIXI_*
// variables; the working folder; lines go on after a failure unless set -e says otherwise. What is not: inputs and
// outputs are not compared, a task always runs; there is no standard input; where cat, cp, rm and the like fail, the
// program on PATH may have done more or less before than pixi's own; and >&2 and 2>&1 outside a pipeline do what they
// say, while pixi 0.77 leaves a program's output where it was.
//
//	taskrun.go   a task, with what it depends on ([Run])
//	plan.go      which steps it takes, in their order, and what each is given
//	environ.go   the process environment of each step, with the variables that pixi sets
//	refuse.go    what of a script is outside of the common subset
//	words.go     words in it, and what is expanded in them
//	commands.go  the commands that pixi has built in, as far as both mean the same
//	shell.go     a script, run by mvdan.cc/sh
//	builtin.go   echo, pwd and test, as pixi has them
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

// ErrRefused is in the chain of an error that says why a task cannot be run here as pixi would run it.
var ErrRefused = errors.New("only pixi runs this as it is meant")

// Options say which task to run, and in what.
type Options struct {
	Manifest    *manifest.Manifest
	Root        string   // folder of the manifest, absolute
	Task        string   // name
	Args        []string // appended to its command
	Environment string   // "" is the one that pixi would choose; else dependencies run in it too
	Platform    string   // conda subdir, for tables of one platform: "linux-64"
	InitCwd     string   // where the caller stands; "" is Root

	// Check says what is in the way of the environments that are needed, all of them, before the first is made. Nil: nothing.
	Check func(ctx context.Context, environments []string) error

	// Env makes the process environment of one of the manifest's environments, as KEY=VALUE: PATH with its programs
	// first, CONDA_PREFIX. It is called once for each that is needed, after everything that needs no environment has
	// been checked.
	Env func(ctx context.Context, environment string) ([]string, error)

	Runner command.Runner // starts the child processes
	Stdout io.Writer
	Stderr io.Writer // gets a line for each task, before it runs
}

// Run runs a task after its dependencies. An unknown task or environment is an error with exit status 2 that names the
// known ones; a refusal has ErrRefused in its chain; the failure of a command is a *command.ExitError with its exit
// status, 127 where there is no such program.
func Run(ctx context.Context, o Options) error {
	if o.InitCwd == "" {
		o.InitCwd = o.Root
	}
	o.Stdout, o.Stderr = serialize(o.Stdout, o.Stderr)
	steps, err := makePlan(o)
	if err != nil {
		return err
	}
	if err := refused(steps); err != nil {
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

// refused makes one error of the reasons of all steps.
func refused(steps []*step) error {
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
		return "build with `mage build:all` or `mage build:package NAME`, which need no pixi; for anything else install pixi (`mage doctor`)"
	}
	return "install pixi (`mage doctor` says how), or write the task so that it stays within what both shells understand alike"
}

// announce prints the first line of what is about to run.
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

// serialize makes writers that the commands of a pipeline may write to at the same time.
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
