//go:build unix && !linux

package command

import "golang.org/x/sys/unix"

// How a terminal is asked and told what its characters do, and those that stop a job.
const (
	getTermios   = unix.TIOCGETA
	setTermios   = unix.TIOCSETA
	flushTermios = unix.TIOCSETAF // setTermios, and nothing is left of what was typed
	noCharacter  = 0xff
)

var stopCharacters = []int{unix.VSUSP, unix.VDSUSP}
