//go:build !linux

package imagebench

import (
	"errors"
	"syscall"
)

// The bench is there on Linux alone; elsewhere the tests that need it say so and are skipped.

func endedBy(syscall.Signal) *syscall.SysProcAttr { return nil }

func detach(string) {}

func mountBinfmt(string) error { return errors.ErrUnsupported }
