// Package ptytest runs programs at a pseudo-terminal in tests.
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

// patience limits how long a terminal waits for what a test expects.
const patience = 60 * time.Second

// Terminal is the user's side of a program that runs at a pseudo-terminal.
type Terminal struct {
	t    testing.TB
	x    *exec.Cmd
	ours *os.File

	mu    sync.Mutex
	sizes []size // widths of the terminal, in order
	said  strings.Builder
	seen  int // number of bytes of `said` that Expect has read
	ended chan struct{}
	read  chan struct{} // closed once no process uses the terminal any more, and `said` has everything that was written
}

// Self returns a command that runs only the test t again, in a separate process. Inside reports there that it is that process.
func Self(t testing.TB, environ ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	x := exec.Command(self, "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.count=1")
	x.Env = append(append(os.Environ(), inside+"="+t.Name()), environ...)
	return x
}

const inside = "PTYTEST_INSIDE"

// Inside reports whether Self began this process for the test t.
func Inside(t testing.TB) bool { return os.Getenv(inside) == t.Name() }

// Start starts a command as the leader of a session with a new terminal. When the test ends, remaining processes are killed.
func Start(t testing.TB, x *exec.Cmd) *Terminal {
	t.Helper()
	return StartAt(t, 0, x)
}

// StartAt is like Start, with a terminal of `columns` columns. With 0, as in Start, the terminal does not report its width.
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
		_ = x.Wait() // the state reports how the process ended
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
		ours.Close() // processes at the terminal still get SIGHUP
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

// Said returns everything that the terminal has shown.
func (p *Terminal) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Expect waits until the terminal shows a text after the text that was expected before.
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

// Answers types the answer to a question each time that the terminal shows the question, until the program ends. It returns how often each question
// was asked.
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

// `over` reports whether the program has ended. In that case `said` has everything that the program wrote.
func (p *Terminal) over() bool {
	select {
	case <-p.ended:
		select {
		case <-p.read: // on a busy machine, a program's output may arrive long after its end
		case <-time.After(5 * time.Second): // a child of the program is still at the terminal
		}
		return true
	default:
		return false
	}
}

// End waits until the program has ended, and returns everything that was shown, and the exit status, -1 if a signal ended it.
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
