//go:build unix && !linux

package command

import "golang.org/x/sys/unix"

// ioctl requests that read and set a terminal's attributes, and the control characters that stop a job.
const (
	getTermios   = unix.TIOCGETA
	setTermios   = unix.TIOCSETA
	flushTermios = unix.TIOCSETAF // like setTermios, but also discards unread input
	noCharacter  = 0xff
)

var stopCharacters = []int{unix.VSUSP, unix.VDSUSP}
