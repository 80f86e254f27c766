// Package ptytest runs a program at a pseudo-terminal, as a person would at theirs.
package ptytest

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience is how long a terminal waits for what a test expects.
const patience = 60 * time.Second

// Terminal is the person's side of a program that runs at a terminal.
type Terminal struct {
	t    testing.TB
	x    *exec.Cmd
	ours *os.File

	mu    sync.Mutex
	sizes []size // those that the terminal has had, in their order
	said  strings.Builder
	seen  int // how much of said an Expect has passed
	ended chan struct{}
	read  chan struct{} // closed once nobody is at the terminal, and all that was said is in said
}

// Self is a command that runs the test t again, alone, in a process of its own; Inside says there that it is that process.
func Self(t testing.TB, environ ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	x := exec.Command(self, "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.count=1")
	x.Env = append(append(os.Environ(), inside+"="+t.Name()), environ...)
	return x
}

const inside = "PTYTEST_INSIDE"

// Inside reports whether this process is one that Self began for the test t.
func Inside(t testing.TB) bool { return os.Getenv(inside) == t.Name() }

// Start begins a command as the leader of a session whose terminal is a new one. What is left of it is killed when the test ends.
func Start(t testing.TB, x *exec.Cmd) *Terminal {
	t.Helper()
	return StartAt(t, 0, x)
}

// StartAt is Start with a terminal of so many columns; 0 is one that does not say how wide it is, as Start has it.
func StartAt(t testing.TB, columns int, x *exec.Cmd) *Terminal {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	fd := int(ours.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	theirs, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	defer theirs.Close()
	x.Stdin, x.Stdout, x.Stderr = theirs, theirs, theirs
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p := &Terminal{t: t, x: x, ours: ours, ended: make(chan struct{}), read: make(chan struct{})}
	if columns > 0 {
		p.Resize(columns)
	}
	require.NoError(t, x.Start())
	go p.listen()
	go func() {
		_ = x.Wait() // its state says how it ended
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
		ours.Close() // whoever is at the terminal still gets SIGHUP
	})
	return p
}

func (p *Terminal) listen() {
	defer close(p.read)
	data := make([]byte, 4096)
	for {
		n, err := p.ours.Read(data)
		p.mu.Lock()
		p.said.Write(data[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Said is all that the terminal has shown.
func (p *Terminal) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Expect waits until the terminal shows a text behind what was expected before.
func (p *Terminal) Expect(text string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		gone := p.over()
		said := p.Said()
		if at := strings.Index(said[p.seen:], text); at >= 0 {
			p.seen += at + len(text)
			return
		}
		require.True(p.t, time.Now().Before(end) && !gone, "the terminal does not show %q:\n%s", text, said)
	}
}

// Answers types an answer to each question that the terminal shows, as often as it does, until the program ends. It says how often
// each was asked.
func (p *Terminal) Answers(answers map[string]string) (asked map[string]int) {
	p.t.Helper()
	asked = map[string]int{}
	for end := time.Now().Add(3 * patience); ; time.Sleep(10 * time.Millisecond) {
		gone := p.over()
		said := p.Said()
		for question := range answers {
			if at := strings.Index(said[p.seen:], question); at >= 0 {
				p.seen += at + len(question)
				asked[question]++
				p.Type(answers[question] + "\n")
				break
			}
		}
		if gone {
			return asked
		}
		require.True(p.t, time.Now().Before(end), "the program does not end:\n%s", said)
	}
}

// Type writes keys: "\n" is Return, "\x03" is Ctrl-C, "\x1a" is Ctrl-Z.
func (p *Terminal) Type(keys string) {
	p.t.Helper()
	_, err := p.ours.WriteString(keys)
	require.NoError(p.t, err)
}

// Echoes reports whether the terminal shows what is typed.
func (p *Terminal) Echoes() bool {
	state, err := unix.IoctlGetTermios(int(p.ours.Fd()), unix.TCGETS)
	require.NoError(p.t, err)
	return state.Lflag&unix.ECHO != 0
}

// over reports whether the program has ended; then all that it said is there.
func (p *Terminal) over() bool {
	select {
	case <-p.ended:
		select {
		case <-p.read: // what a program has said may be on its way for long after its end, where the machine is busy
		case <-time.After(5 * time.Second): // a child of it is still at the terminal
		}
		return true
	default:
		return false
	}
}

// End waits until the program has ended, and returns all that was shown, and the exit status, -1 where a signal ended it.
func (p *Terminal) End() (said string, code int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.Fail(p.t, "the program does not end", "%s", p.Said())
	}
	p.over()
	return p.Said(), p.x.ProcessState.ExitCode()
}
