package command

import "golang.org/x/sys/unix"

// How a terminal is asked and told what its characters do, and those that stop a job.
const (
	getTermios   = unix.TCGETS
	setTermios   = unix.TCSETS
	flushTermios = unix.TCSETSF // setTermios, and nothing is left of what was typed
	noCharacter  = 0
)

var stopCharacters = []int{unix.VSUSP}
