package lifetime

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// patience is how long a run may tidy up after a Ctrl-C. What it has left behind then is what a kill leaves behind.
const patience = 5 * time.Second

// interrupts has a channel for each life of this process that a Ctrl-C ends.
var interrupts struct {
	sync.Mutex
	lives map[chan os.Signal]bool
}

// takeInterrupts lets lives have each Ctrl-C, and nobody else: Mage would say that it waits five seconds, and count a second one.
func takeInterrupts() {
	signal.Reset(os.Interrupt)
	for life := range interrupts.lives {
		signal.Notify(life, os.Interrupt)
	}
}

// live begins a life, and returns what ends it. Mage asks for a Ctrl-C just before or just after a target begins, so they are taken twice.
func live(signals chan os.Signal) (end func()) {
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	interrupts.Lock()
	defer interrupts.Unlock()
	first := len(interrupts.lives) == 0
	if first {
		interrupts.lives = map[chan os.Signal]bool{}
	}
	interrupts.lives[signals] = true
	signal.Notify(signals, os.Interrupt)
	again := func() {
		interrupts.Lock()
		defer interrupts.Unlock()
		takeInterrupts()
	}
	timer := time.NewTimer(time.Hour)
	if first {
		takeInterrupts()
		timer = time.AfterFunc(50*time.Millisecond, again)
	}
	return func() {
		timer.Stop()
		interrupts.Lock()
		defer interrupts.Unlock()
		delete(interrupts.lives, signals)
		signal.Stop(signals)
	}
}

// leave ends the process when a run that was stopped does not end.
func leave(signals chan os.Signal, ended chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-ended:
			return
		case s := <-signals:
			if s != os.Interrupt {
				continue
			}
		case <-timer.C:
		}
		fmt.Fprintln(os.Stderr, "left without tidying up, as a kill would: the next run does it")
		os.Exit(operr.Interrupted)
	}
}
