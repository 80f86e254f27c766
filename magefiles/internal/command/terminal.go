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

// Terminal is the terminal for children that prompt. It is not touched before the first such child.
type Terminal struct {
	Show io.Writer     // receives the output of a child that may be waiting for an answer, with secrets masked
	Hold func() func() // blocks all other writes to the terminal until the returned function is called; may be nil
}

// silence is the time without output after which we assume that a child may be waiting for an answer.
const silence = 300 * time.Millisecond

// lent is held while a child has the terminal. Only one child can have it at a time.
var lent sync.Mutex

// At makes s lend the terminal to children that prompt (Cmd.Asks), and returns s.
func (s *System) At(t Terminal) *System {
	s.terminal = &t
	return s
}

// Lends reports whether a child that prompts would get the terminal now: whether there is one, and this process is in its foreground.
func (s *System) Lends() bool {
	if s.terminal == nil {
		return false
	}
	lent.Lock() // while a child has the terminal, it is not ours
	defer lent.Unlock()
	tty := openTerminal()
	if tty != nil {
		tty.Close()
	}
	return tty != nil
}

// openTerminal opens our terminal. It returns nil if there is none, or if we are in its background.
func openTerminal() *os.File {
	// Do not use os.OpenFile: it would add the terminal to the poller, and make it non-blocking for every process that has it open.
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

// loan is a terminal that is lent to a child.
type loan struct {
	tty    *os.File
	state  *unix.Termios
	free   func()
	prompt *prompt
}

// lend prepares x to start with the terminal. It returns nil if there is none to lend. The child must be in our session to get it.
func (s *System) lend(x *exec.Cmd, secrets []string) *loan {
	if s.terminal == nil {
		return nil
	}
	lent.Lock()
	tty := openTerminal()
	if tty == nil {
		lent.Unlock()
		return nil
	}
	l := &loan{tty: tty, free: func() {}, prompt: newPrompt(s.terminal.Show, secrets)}
	if s.terminal.Hold != nil {
		l.free = s.terminal.Hold()
	}
	signal.Ignore(syscall.SIGTTOU) // otherwise the kernel stops a background process that changes the foreground group
	fd := int(tty.Fd())
	l.state, _ = unix.IoctlGetTermios(fd, getTermios)
	disableSuspend(fd)
	x.SysProcAttr.Setsid, x.SysProcAttr.Setpgid = false, true
	x.SysProcAttr.Foreground, x.SysProcAttr.Ctty = true, fd
	return l
}

// run is like x.Run, but lends the terminal if l is not nil.
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

// resume continues the child if it is stopped. That happens on Ctrl-Z if the child, or one of its hooks, has enabled it again, or if a job of the
// child kept the terminal. Nothing else would continue the child, and we would wait forever.
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

// `giveBack` takes the terminal back and restores its settings. If the child failed, it discards unread input, such as a passphrase. Otherwise a
// shell would read the input next and store it in its history, or one of our own questions would read it.
func (l *loan) giveBack(well bool) {
	l.prompt.end()
	fd := int(l.tty.Fd())
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp())
	if how := uint(flushTermios); l.state != nil {
		if well {
			how = setTermios
		}
		_ = unix.IoctlSetTermios(fd, how, l.state) // a child that is killed at a prompt may leave echo turned off
	}
	signal.Reset(syscall.SIGTTOU)
	l.tty.Close()
	l.free()
	lent.Unlock()
}

// disableSuspend makes Ctrl-Z an ordinary character. Otherwise it would stop only the child, and both processes would wait forever.
func disableSuspend(fd int) {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return
	}
	for _, c := range stopCharacters {
		t.Cc[c] = noCharacter
	}
	_ = unix.IoctlSetTermios(fd, setTermios, t)
}

// passOn sends the signal that ended a child, by Ctrl-C or a hangup, to our whole process group, as the terminal would have done, because only the
// child has received it. It returns when ctx has ended, or after a second.
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
	case status.ExitStatus() == 128+int(syscall.SIGINT): // exit statuses of shells; not 129, which git uses for an unknown option
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

// prompt shows a child's pending output when the child has been silent for a while, because it may be a question.
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
