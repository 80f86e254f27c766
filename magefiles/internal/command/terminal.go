package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is what a child that asks is lent. Nothing of it is touched before the first such child.
type Terminal struct {
	Show io.Writer     // gets what a child that may be waiting for an answer has said, secrets replaced
	Hold func() func() // keeps everything else from writing to the terminal until what it returns is called; nil is nothing
}

// silence is how long a child says nothing until it may be waiting for an answer.
const silence = 300 * time.Millisecond

// lent is held while a child has the terminal: one at a time.
var lent sync.Mutex

// At lets children that ask (Cmd.Asks) have the terminal, and returns s.
func (s *System) At(t Terminal) *System {
	s.terminal = &t
	return s
}

// Lends reports whether a child that asks gets the terminal now: there is one, and it is ours, not that of a job in front of us.
func (s *System) Lends() bool {
	if s.terminal == nil {
		return false
	}
	lent.Lock() // while a child has it, it is not ours
	defer lent.Unlock()
	tty := ownTerminal()
	if tty != nil {
		tty.Close()
	}
	return tty != nil
}

// ownTerminal opens our terminal; nil where there is none, or where we are in its background.
func ownTerminal() *os.File {
	// Not os.OpenFile: that makes a terminal one of the poller's, and non-blocking for everybody who has it.
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	if front, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || front != unix.Getpgrp() {
		_ = unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "/dev/tty")
}

// loan is a terminal that a child has.
type loan struct {
	tty    *os.File
	state  *unix.Termios
	free   func()
	prompt *prompt
}

// lend prepares x to be started with the terminal; nil where there is none to lend. A child in another session than ours could not have it.
func (s *System) lend(x *exec.Cmd, secrets []string) *loan {
	if s.terminal == nil {
		return nil
	}
	lent.Lock()
	tty := ownTerminal()
	if tty == nil {
		lent.Unlock()
		return nil
	}
	l := &loan{tty: tty, free: func() {}, prompt: newPrompt(s.terminal.Show, secrets)}
	if s.terminal.Hold != nil {
		l.free = s.terminal.Hold()
	}
	signal.Ignore(syscall.SIGTTOU) // else the kernel stops whoever takes the terminal, or gives it back, from behind
	fd := int(tty.Fd())
	l.state, _ = unix.IoctlGetTermios(fd, getTermios)
	withoutStop(fd)
	x.SysProcAttr.Setsid, x.SysProcAttr.Setpgid = false, true
	x.SysProcAttr.Foreground, x.SysProcAttr.Ctty = true, fd
	return l
}

// run is x.Run, for a child that has the terminal, if l is not nil.
func (l *loan) run(x *exec.Cmd) error {
	if err := x.Start(); err != nil {
		return err
	}
	if l == nil {
		return x.Wait()
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		l.resume(x.Process.Pid, ended)
	}()
	defer func() {
		close(ended)
		<-done
	}()
	return x.Wait()
}

// resume lets the child go on where it was stopped: by a Ctrl-Z that it, or a hook of it, has made a stop again, or since a job of it
// kept the terminal. Nobody else is there to do that, and we would wait for it for ever.
func (l *loan) resume(pid int, ended chan struct{}) {
	tick := time.NewTicker(silence / 3)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			if !isStopped(pid) {
				continue
			}
			_ = unix.IoctlSetPointerInt(int(l.tty.Fd()), unix.TIOCSPGRP, pid)
			_ = syscall.Kill(-pid, syscall.SIGCONT)
		}
	}
}

// back takes the terminal back, as it was. What was typed for a child that did not end well, such as a passphrase, is thrown away: who
// reads next is a shell, which keeps it, or a question of ours.
func (l *loan) back(well bool) {
	l.prompt.end()
	fd := int(l.tty.Fd())
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp())
	if how := uint(flushTermios); l.state != nil {
		if well {
			how = setTermios
		}
		_ = unix.IoctlSetTermios(fd, how, l.state) // a child that was killed where it asked has left it without echo
	}
	signal.Reset(syscall.SIGTTOU)
	l.tty.Close()
	l.free()
	lent.Unlock()
}

// withoutStop makes Ctrl-Z a character like others: it would stop the child and not us, and both would wait for ever.
func withoutStop(fd int) {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return
	}
	for _, c := range stopCharacters {
		t.Cc[c] = noCharacter
	}
	_ = unix.IoctlSetTermios(fd, setTermios, t)
}

// passOn has a Ctrl-C, or the end of the terminal, that ended a child end us as well: it went to the child alone. All of our process
// group gets it, as it would have from the terminal. It returns once ctx has ended, or after a second.
func passOn(ctx context.Context, err error) {
	var exit *exec.ExitError
	if ctx.Err() != nil || !errors.As(err, &exit) {
		return
	}
	var by syscall.Signal
	status, _ := exit.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && (status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGHUP):
		by = status.Signal()
	case status.ExitStatus() == 128+int(syscall.SIGINT): // so end shells; 129 is no SIGHUP: git ends so where it does not know an option
		by = syscall.SIGINT
	default:
		return
	}
	_ = syscall.Kill(0, by)
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// prompt shows what a child says once it is silent for a while: it may be a question.
type prompt struct {
	show io.Writer
	red  *redactor

	mu      sync.Mutex
	pending bytes.Buffer
	last    time.Time

	stop, ended chan struct{}
}

func newPrompt(show io.Writer, secrets []string) *prompt {
	p := &prompt{show: show, stop: make(chan struct{}), ended: make(chan struct{})}
	p.red = newRedactor(&p.pending, secrets)
	go p.watch()
	return p
}

// Write implements io.Writer.
func (p *prompt) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
	return p.red.Write(data)
}

func (p *prompt) watch() {
	defer close(p.ended)
	tick := time.NewTicker(silence / 3)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			if !p.last.IsZero() && time.Since(p.last) >= silence {
				p.red.Flush()
				if p.show != nil {
					_, _ = p.show.Write(p.pending.Bytes())
				}
				p.pending.Reset()
				p.last = time.Time{}
			}
			p.mu.Unlock()
		}
	}
}

func (p *prompt) end() {
	close(p.stop)
	<-p.ended
}
