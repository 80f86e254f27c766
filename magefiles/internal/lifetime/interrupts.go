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

// patience limits the time for cleanup after a Ctrl-C. When it is over, the process exits as if killed.
const patience = 5 * time.Second

// interrupts has a channel for each running target that a Ctrl-C ends.
var interrupts struct {
	sync.Mutex
	lives map[chan os.Signal]bool
}

// takeInterrupts sends each Ctrl-C only to the channels in `lives`. Otherwise Mage would print that it waits five seconds, and count a second Ctrl-C.
func takeInterrupts() {
	signal.Reset(os.Interrupt)
	for life := range interrupts.lives {
		signal.Notify(life, os.Interrupt)
	}
}

// live starts sending Ctrl-C and other signals to a channel, and returns a function that stops this. Mage registers for Ctrl-C just before or just
// after a target begins, so live takes over twice.
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

// leave ends the process if a stopped run has not ended after `patience`.
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
		fmt.Fprintln(os.Stderr, "stopped at once, without cleaning up: the next run cleans up")
		os.Exit(operr.Interrupted)
	}
}
