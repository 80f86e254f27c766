package command

import "golang.org/x/sys/unix"

// ioctl requests that read and set a terminal's attributes, and the control characters that stop a job.
const (
	getTermios   = unix.TCGETS
	setTermios   = unix.TCSETS
	flushTermios = unix.TCSETSF // like setTermios, but also discards unread input
	noCharacter  = 0
)

var stopCharacters = []int{unix.VSUSP}
