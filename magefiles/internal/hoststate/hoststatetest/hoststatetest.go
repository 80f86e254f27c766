// Package hoststatetest runs hoststate's script in a local folder, with local shells.
package hoststatetest

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"syscall"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// Local is a hoststate.Runner that runs programs locally, in a separate process group.
type Local struct {
	Shell []string                 // replaces sh; empty uses sh
	Env   []string                 // nil uses this process's environment
	Began func(group int)          // called when a program has started
	Seen  func(argv, stdin []byte) // called with each program's arguments and standard input
}

// Run implements hoststate.Runner.
func (l Local) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	if l.Seen != nil {
		var all bytes.Buffer
		for _, a := range argv {
			all.WriteString(a + "\x00")
		}
		l.Seen(all.Bytes(), stdin)
	}
	if len(l.Shell) > 0 {
		argv = append(append([]string{}, l.Shell...), argv[1:]...)
	}
	x := exec.CommandContext(ctx, argv[0], argv[1:]...)
	x.Env = l.Env
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	x.Stdin = bytes.NewReader(stdin)
	var out bytes.Buffer
	x.Stdout = &out
	if err := x.Start(); err != nil {
		return nil, 0, err
	}
	if l.Began != nil {
		l.Began(x.Process.Pid)
	}
	err := x.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return out.Bytes(), exit.ExitCode(), nil
	}
	return out.Bytes(), 0, err
}

// New returns an empty state in a folder for the test.
func New(t testing.TB) *hoststate.State {
	t.Helper()
	return &hoststate.State{Runner: Local{}, Dir: t.TempDir()}
}
