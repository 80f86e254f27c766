package taskrun

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// run runs a step's script, which must have passed the checks.
func (s *step) run(ctx context.Context, o Options, env []string) error {
	x := &executor{runner: o.Runner}
	shell, err := interp.New(
		interp.Env(expand.ListEnviron(command.Setenv(env, "PWD="+s.dir)...)),
		interp.Dir(s.dir),
		interp.StdIO(nil, o.Stdout, o.Stderr),
		interp.BashOpts("-s", "nocaseglob"), // pixi's shell matches file names case-insensitively
		interp.CallHandler(x.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return x.exec }),
	)
	if err != nil {
		return err
	}
	err = shell.Run(ctx, s.script)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var status interp.ExitStatus
	if !errors.As(err, &status) {
		return err
	}
	if x.last != nil && x.last.Code == int(status) {
		return x.last
	}
	return &command.ExitError{Name: s.task.Name, Code: int(status)}
}

// executor runs the simple commands in a script.
type executor struct {
	runner command.Runner
	mu     sync.Mutex
	last   *command.ExitError // error of the last failed child
}

// `outside` is a prefix for command names that prevents the interpreter from running its built-in command.
const outside = "\x00"

// interpreted lists the built-in commands that change the shell itself or do nothing. All others are programs or are in builtins.
var interpreted = []string{"cd", "exit", "set", "unset", "true", "false", ":"}

// call prevents the interpreter from running built-in commands that are missing or different in pixi's shell.
func (x *executor) call(_ context.Context, args []string) ([]string, error) {
	if slices.Contains(interpreted, args[0]) {
		return args, nil
	}
	return append([]string{outside + args[0]}, args[1:]...), nil
}

// exec runs a command other than those of the interpreter: one of builtins, or a child process.
func (x *executor) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	name := strings.TrimPrefix(args[0], outside)
	if f := builtins[name]; f != nil {
		return status(f(hc, args[1:]))
	}
	err := x.runner.Run(ctx, command.Cmd{
		Name:   name,
		Args:   args[1:],
		Dir:    hc.Dir,
		Env:    listExported(hc.Env),
		Stdin:  hc.Stdin,
		Stdout: hc.Stdout,
		Stderr: hc.Stderr,
		Theirs: true,
	})
	var exit *command.ExitError
	var start *fs.PathError
	switch {
	case errors.Is(err, command.ErrNotFound) && strings.Contains(name, "/"):
		fmt.Fprintf(hc.Stderr, "%s: no such program\n", name)
		return status(1)
	case errors.Is(err, command.ErrNotFound):
		fmt.Fprintf(hc.Stderr, "%s: command not found\n", name)
		return status(127)
	case errors.As(err, &start) && start.Op == "fork/exec":
		fmt.Fprintf(hc.Stderr, "%s: %v\n", name, start.Err)
		return status(1)
	case errors.Is(err, syscall.EPIPE): // the next command in the pipeline has exited
		return status(128 + int(syscall.SIGPIPE))
	case errors.As(err, &exit):
		x.mu.Lock()
		x.last = exit
		x.mu.Unlock()
		return status(exit.Code)
	}
	return err
}

func status(code int) error {
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code)
}

// listExported returns the variables that are exported to child processes.
func listExported(env expand.Environ) []string {
	var out []string
	for name, v := range env.Each {
		if v.Exported && v.IsSet() && v.Kind == expand.String {
			out = append(out, name+"="+v.Str)
		}
	}
	return out
}
