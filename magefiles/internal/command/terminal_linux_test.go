package command_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// lentTo runs this test again at a terminal that is lent to a shell script. It returns the user's side of the terminal.
func lentTo(t *testing.T, script string) *ptytest.Terminal {
	return ptytest.Start(t, ptytest.Self(t, "LENT_TO="+script))
}

// lends runs in the process at the terminal. It prints how the child ended, and whether a signal arrived.
func lends(t *testing.T) {
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGHUP)
	defer stop()
	c := sh(os.Getenv("LENT_TO"))
	c.Asks = true
	err := command.NewSystem(os.Environ(), nil).At(command.Terminal{Show: os.Stderr}).Run(context.WithoutCancel(ctx), c)
	time.Sleep(100 * time.Millisecond) // lets a signal arrive that is on its way
	left, ferr := unix.IoctlGetInt(0, unix.TIOCINQ)
	require.NoError(t, ferr)
	fmt.Fprintf(os.Stderr, "\nended: %v; stopped: %v.\nleft: %d.\n", err, ctx.Err() != nil, left)
}

// Git exits with 129 for an unknown option. It does not mean that the terminal has hung up.
func TestExitStatus129(t *testing.T) {
	if ptytest.Inside(t) {
		lends(t)
		return
	}
	for script, want := range map[string]string{
		"exit 129":     "ended: sh ended with exit status 129; stopped: false.",
		"kill -HUP $$": "ended: sh was killed by signal 1 (hangup); stopped: true.",
		"exit 130":     "ended: sh ended with exit status 130; stopped: true.", // some shells exit with this status after Ctrl-C
	} {
		said, _ := lentTo(t, script).End()
		require.Contains(t, said, want)
	}
}

// A child that enables Ctrl-Z again, as `stty sane` does, does not cause a hang.
func TestChildThatEnablesCtrlZ(t *testing.T) {
	if ptytest.Inside(t) {
		lends(t)
		return
	}
	for script, typed := range map[string]string{
		"stty sane </dev/tty; printf 'really? ' >/dev/tty; read answer </dev/tty; test $answer = yes":                      "\x1a",
		"stty susp '^Z' </dev/tty; printf 'really? ' >/dev/tty; sh -c 'read answer </dev/tty; test $answer = yes'":         "\x1a",
		"printf 'really? ' >/dev/tty; kill -STOP $$; read answer </dev/tty; test $answer = yes":                            "",
		"set -m; sh -c 'exit 0'; printf 'really? ' >/dev/tty; sh -c 'read answer </dev/tty; test $answer = yes'":           "",
		"printf 'really? ' >/dev/tty; stty -echo </dev/tty; sleep 0.2; kill -STOP $$; read answer </dev/tty; test $answer": "",
	} {
		p := lentTo(t, script)
		p.Expect("really? ")
		time.Sleep(100 * time.Millisecond)
		p.Type(typed)
		time.Sleep(500 * time.Millisecond)
		p.Type("yes\n")
		said, code := p.End()
		require.Zero(t, code, said)
		require.Contains(t, said, "ended: <nil>; stopped: false.", script)
	}
}

// A passphrase that is typed for a child that has failed is discarded, because a shell would run it and store it. Other type-ahead is kept.
func TestTypeAheadForAFailedChild(t *testing.T) {
	if ptytest.Inside(t) {
		lends(t)
		return
	}
	for script, want := range map[string]string{
		"stty -echo </dev/tty; printf 'passphrase: ' >/dev/tty; sleep 0.5; exit 1":    "left: 0.",
		"stty -echo </dev/tty; printf 'passphrase: ' >/dev/tty; sleep 0.5; kill -9 0": "left: 0.",
		"printf 'passphrase: ' >/dev/tty; read one </dev/tty; sleep 0.5":              "left: 8.",
	} {
		p := lentTo(t, script)
		p.Expect("passphrase: ")
		p.Type("the one\nanother\n")
		said, code := p.End()
		require.Zero(t, code, said)
		require.Contains(t, said, want, script)
	}
}

// However the child ends, we get the terminal back with its settings restored, and blocked writers continue.
func TestTerminalIsRestored(t *testing.T) {
	if ptytest.Inside(t) {
		held, freed := 0, 0
		c := sh(os.Getenv("LENT_TO"))
		c.Asks = true
		s := command.NewSystem(os.Environ(), nil).At(command.Terminal{
			Show: os.Stderr,
			Hold: func() func() {
				held++
				return func() { freed++ }
			},
		})
		require.True(t, s.Lends())
		_ = s.Run(t.Context(), c)
		front, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
		require.NoError(t, err)
		how, err := unix.IoctlGetTermios(0, unix.TCGETS)
		require.NoError(t, err)
		fmt.Fprintf(os.Stderr, "\nours: %v; Ctrl-Z: %d; echo: %v; held %d, freed %d; lends: %v.\n",
			front == unix.Getpgrp(), how.Cc[unix.VSUSP], how.Lflag&unix.ECHO != 0, held, freed, s.Lends())
		return
	}
	for _, script := range []string{
		"stty -a </dev/tty >/dev/tty", "stty -a </dev/tty >/dev/tty; exit 1", "stty -a </dev/tty >/dev/tty; stty -echo susp '^Y' </dev/tty; kill -9 $$",
	} {
		p := ptytest.Start(t, ptytest.Self(t, "LENT_TO="+script))
		p.Expect("susp = <undef>") // otherwise Ctrl-Z would stop the child, and not us
		said, _ := p.End()
		require.Contains(t, said, "ours: true; Ctrl-Z: 26; echo: true; held 1, freed 1; lends: true.", script)
	}
}

// If another job is in the foreground, we cannot lend the terminal, and a child that prompts fails at once.
func TestBackgroundJobCannotLendTheTerminal(t *testing.T) {
	if ptytest.Inside(t) {
		signal.Ignore(syscall.SIGTTOU)
		before := exec.Command("sleep", "60")
		before.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0}
		require.NoError(t, before.Start())
		s := command.NewSystem(os.Environ(), nil).At(command.Terminal{Show: os.Stderr})
		c := sh("exec 2>/dev/null; read answer </dev/tty")
		c.Asks = true
		lends, err := s.Lends(), s.Run(t.Context(), c)
		front, ferr := unix.IoctlGetInt(0, unix.TIOCGPGRP)
		require.NoError(t, ferr)
		kept := front == before.Process.Pid
		require.NoError(t, before.Process.Kill())
		_ = before.Wait()
		require.NoError(t, unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()))
		fmt.Fprintf(os.Stderr, "\nlends: %v; failed: %v; theirs: %v.\n", lends, err != nil, kept)
		return
	}
	said, _ := ptytest.Start(t, ptytest.Self(t)).End()
	require.Contains(t, said, "lends: false; failed: true; theirs: true.")
}
