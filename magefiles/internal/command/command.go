// Package command starts child processes. It is the only package that does (os/exec is forbidden elsewhere), so that
// every child dies with us, no secret reaches a log, and an exit error says what was run and what it last said.
//
// A child and all that it starts are one process group, in a session of its own: it has no terminal, and what asks there fails at
// once. One that may ask (Cmd.Asks) is lent ours, where there is one: see terminal.go. When the context ends, the group gets SIGTERM and, a grace
// period later, SIGKILL. When this process itself is killed, the kernel kills the child (on Linux).
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// grace is the time between SIGTERM and SIGKILL. Mage leaves a target five seconds after Ctrl-C.
const grace = 3 * time.Second

// ErrNotFound is in the chain of an error when the program is not there.
var ErrNotFound = exec.ErrNotFound

// Cmd describes one child process. The zero value of every field but Name is usable.
type Cmd struct {
	Name   string    // program: looked up on the child's PATH unless it has a slash
	Args   []string  // arguments, without the program
	Dir    string    // working directory; "" is ours
	Env    []string  // the whole environment as KEY=VALUE; nil is the runner's own, without credentials
	Stdin  io.Reader // nil is an empty input
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards; its last lines are kept for the error either way

	// Gentle lets the child tidy up (SIGTERM) where otherwise the kernel kills it when this process is killed.
	Gentle bool

	// Abrupt kills the child and its group at once when the context ends, as a loss of power would.
	Abrupt bool

	// Asks says that the child may ask the person something: it is lent the terminal, where the runner is at one (System.At).
	Asks bool

	// Theirs says that the command line is a task's, word for word, and not one of ours. What it writes may go to the next command of
	// that task, or into a file: it is left as it is. Who shows it hides secrets in it (Hiding).
	Theirs bool

	// Answers says that Stdout is read by the program and shown to nobody: it gets what the child writes as it is. A path or a name
	// that happens to hold a secret would be another one with *** in it.
	Answers bool

	// Limited says that the child has a time limit of its own: nothing is done where it says nothing (System.Watch).
	Limited bool

	// Secrets are replaced by *** in everything that the child writes for people, and in the error, as are those of Env.
	Secrets []string
}

// Runner runs child processes. System is the real one; commandtest.Script answers as a test wants.
type Runner interface {
	// Run waits until the child has ended. It returns *ExitError when the child ended with another status than 0 or by
	// a signal, an error in whose chain ErrNotFound stands when there is no such program, and the cause of ctx when ctx
	// ended it.
	Run(ctx context.Context, c Cmd) error
}

// ExitError says that a child ended with another status than 0.
type ExitError struct {
	Name   string         // the program, without its folder
	Code   int            // exit status; 128 plus the signal when a signal ended it
	Signal syscall.Signal // 0 unless a signal ended it
	Tail   string         // the last lines of what it wrote, secrets replaced
}

func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("%s was ended by signal %d (%v)", e.Name, int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("%s ended with exit status %d", e.Name, e.Code)
}

// stopped is the error of a child that was ended with its context, or, without a name, was not begun.
type stopped struct {
	name  string
	cause error
}

func (e *stopped) Error() string {
	if e.name == "" {
		return e.cause.Error()
	}
	return e.name + " was stopped: " + e.cause.Error()
}

func (e *stopped) Unwrap() error { return e.cause }

// WasStopped reports whether an error tells of a child that did not end by itself: what it has said explains nothing.
func WasStopped(err error) bool {
	var e *stopped
	return errors.As(err, &e)
}

// System runs real child processes.
type System struct {
	env     []string
	secrets []string

	terminal *Terminal // nil: there is none to lend
	silence  Silence
	hear     func(line string) // nil: nobody listens
}

// NewSystem returns a runner whose children inherit environ, except for the variables that would make a pixi below us
// believe that it runs inside a pixi shell of this workspace, and those by which a git that runs us would make a git below us
// work on another repository than that of its folder. The secrets, and those of environ, are hidden in what every child writes for
// people, also of a child that is not given them: it may find them elsewhere.
func NewSystem(environ, secrets []string) *System {
	return &System{
		env:     withoutGit(Unset(environ, "PIXI_IN_SHELL", "PIXI_PROJECT_MANIFEST")),
		secrets: slices.Concat(secrets, Secrets(environ)),
	}
}

// Environ returns a copy of the environment that was given, for what a child is to have of it: see [Withhold].
func (s *System) Environ() []string { return append([]string(nil), s.env...) }

// Run implements Runner.
func (s *System) Run(ctx context.Context, c Cmd) error {
	if cause := context.Cause(ctx); cause != nil {
		return &stopped{cause: cause}
	}
	given := Secrets(c.Env)
	if c.Env == nil {
		c.Env, _ = Withhold(s.env) // who needs one says which
	}
	path, err := lookPath(c.Name, c.Dir, c.Env)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, ErrNotFound)
	}
	Record(c)
	secrets := slices.Concat(s.secrets, c.Secrets, given)
	ctx, watch := s.watched(ctx, c, lineOf(c, secrets))
	defer watch.stop()
	var last tail
	kept := newRedactor(&last, secrets)
	said := s.listen(secrets)
	if c.Theirs {
		secrets = nil
	}
	hidden := secrets
	if c.Answers {
		hidden = nil
	}
	out := newRedactor(tee(c.Stdout, kept), hidden)
	errOut := out
	if !same(c.Stdout, c.Stderr) {
		errOut = newRedactor(tee(c.Stderr, kept), secrets)
	}

	x := exec.CommandContext(ctx, path, c.Args...)
	x.Args[0] = c.Name
	x.Dir, x.Env, x.Stdin = c.Dir, c.Env, c.Stdin
	x.Stdout = watch.hear(out)
	if !c.Answers {
		x.Stdout = watch.hear(tee(said, out))
	}
	x.Stderr = x.Stdout
	if errOut != out {
		x.Stderr = watch.hear(tee(said, errOut))
	}
	x.WaitDelay = grace
	ownGroup(x, c.Gentle)
	if c.Abrupt {
		x.Cancel = func() error { killGroup(x); return nil }
	}
	var l *loan
	if c.Asks {
		l = s.lend(x, slices.Concat(s.secrets, c.Secrets, given))
	}
	if l != nil {
		watch.spare()
		x.Stderr = io.MultiWriter(x.Stderr, l.prompt)
	}
	err = l.run(x)
	killGroup(x)
	if l != nil {
		l.back(err == nil)
		passOn(ctx, err)
	}
	out.Flush()
	errOut.Flush()
	kept.Flush()
	return exitError(ctx, c.Name, err, last.String())
}

func exitError(ctx context.Context, name string, err error, last string) error {
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return &stopped{
			name:  base(name),
			cause: cause,
		}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	e := &ExitError{Name: base(name), Code: exit.ExitCode(), Tail: last}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
		e.Code = 128 + int(e.Signal)
	}
	return e
}

// Output runs c and returns what it wrote to its standard output, as it is, without the final newlines.
func Output(ctx context.Context, r Runner, c Cmd) (string, error) {
	var b strings.Builder
	c.Stdout, c.Answers = &b, true
	err := r.Run(ctx, c)
	return strings.TrimRight(b.String(), "\n"), err
}

func tee(w io.Writer, keep io.Writer) io.Writer {
	if w == nil {
		return keep
	}
	return io.MultiWriter(w, keep)
}

// same reports whether both streams go to one writer, which is then written to by one goroutine.
func same(a, b io.Writer) bool {
	defer func() { _ = recover() }() // writers of a type that cannot be compared are two
	return a == b
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
