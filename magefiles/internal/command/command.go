// Package command starts child processes. It is the only package that may use os/exec. It ensures that no child outlives this process, that secrets
// are masked in logs, and that an exit error has the command and its last output.
//
// A child and its descendants form a process group in a new session. The child therefore has no terminal, and fails at once if it prompts. A child
// that may prompt (Cmd.Asks) gets our terminal if there is one: see terminal.go. When the context ends, the group gets SIGTERM and, after a grace
// period, SIGKILL. When this process is killed, the kernel kills the child (on Linux).
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

// grace is the time between SIGTERM and SIGKILL. It must be less than the five seconds after which Mage abandons a target on Ctrl-C.
const grace = 3 * time.Second

// ErrNotFound is wrapped by the error for a program that is not found.
var ErrNotFound = exec.ErrNotFound

// Cmd describes a child process. Only Name is required.
type Cmd struct {
	Name   string    // program; looked up on the child's PATH unless it contains a slash
	Args   []string  // arguments, without the program
	Dir    string    // working directory; "" for ours
	Env    []string  // the whole environment, as KEY=VALUE; nil for the runner's environment without credentials
	Stdin  io.Reader // nil for an empty input
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards; the last lines are kept for the error in any case

	// Gentle makes the kernel send SIGTERM instead of SIGKILL when this process is killed, so that the child can clean up.
	Gentle bool

	// Abrupt sends SIGKILL to the child's group at once when the context ends, to simulate a power failure.
	Abrupt bool

	// Asks reports whether the child may prompt the user. If so, it gets the terminal, if the runner has one (System.At).
	Asks bool

	// Theirs reports whether this is the verbatim command line of one of the repository's tasks. Its output may be piped to the task's next command
	// or written to a file, so it is not masked. Callers that show the output must mask it (Hiding).
	Theirs bool

	// Answers reports whether this program parses Stdout and never shows it. Stdout is then not masked, because *** would corrupt a path or a name
	// that happens to contain a secret.
	Answers bool

	// Limited reports whether the child has its own time limit. If so, it is exempt from System.Watch.
	Limited bool

	// Secrets are replaced by *** in the error and in all output that users see. The secrets in Env are, too.
	Secrets []string
}

// Runner runs child processes. System is the real implementation, and commandtest.Script is a fake for tests.
type Runner interface {
	// Run runs the child and waits for it. The error is an *ExitError if the child exits with a nonzero status or is killed by a signal. It wraps
	// ErrNotFound if the program does not exist, and is the cause of ctx if ctx ended the child.
	Run(ctx context.Context, c Cmd) error
}

// ExitError is the error of a child that exited with a nonzero status.
type ExitError struct {
	Name   string         // the program, without its folder
	Code   int            // exit status; 128 plus the signal number if a signal ended it
	Signal syscall.Signal // 0 unless a signal ended it
	Tail   string         // the last lines of its output, with secrets masked
}

func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("%s was killed by signal %d (%v)", e.Name, int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("%s ended with exit status %d", e.Name, e.Code)
}

// stopped is the error of a child that was ended because its context ended. If name is empty, the child was never started.
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

// WasStopped reports whether an error is about a child that we ended. That child's output does not explain the error.
func WasStopped(err error) bool {
	var e *stopped
	return errors.As(err, &e)
}

// System runs real child processes.
type System struct {
	env     []string
	secrets []string

	terminal *Terminal // nil if children get no terminal
	silence  Silence
	hear     func(line string) // may be nil
}

// NewSystem returns a runner whose children inherit environ, except for the variables of a pixi shell, which would make a child pixi believe that it
// runs inside it, and the variables that git sets for its hooks, which would make a child git work on another repository. The secrets, and the
// secrets in environ, are masked in the output of every child, even of one that does not get them, because it may read them elsewhere.
func NewSystem(environ, secrets []string) *System {
	return &System{
		env:     withoutGit(Unset(environ, "PIXI_IN_SHELL", "PIXI_PROJECT_MANIFEST")),
		secrets: slices.Concat(secrets, Secrets(environ)),
	}
}

// Environ returns a copy of the environment, from which callers choose the variables of a child: see [Withhold].
func (s *System) Environ() []string { return append([]string(nil), s.env...) }

// Run implements Runner.
func (s *System) Run(ctx context.Context, c Cmd) error {
	if cause := context.Cause(ctx); cause != nil {
		return &stopped{cause: cause}
	}
	given := Secrets(c.Env)
	if c.Env == nil {
		c.Env, _ = Withhold(s.env) // callers must pass a credential explicitly
	}
	path, err := lookPath(c.Name, c.Dir, c.Env)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, ErrNotFound)
	}
	Record(c)
	secrets := slices.Concat(s.secrets, c.Secrets, given)
	ctx, watch := s.watchOutput(ctx, c, lineOf(c, secrets))
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
	leadGroup(x, c.Gentle)
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
		l.giveBack(err == nil)
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

// Output runs c and returns its standard output, unmasked, without the final newlines.
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

// `same` reports whether both streams have the same writer. Only one goroutine may write to it.
func same(a, b io.Writer) bool {
	defer func() { _ = recover() }() // comparing writers of an incomparable type panics: treat them as different
	return a == b
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
