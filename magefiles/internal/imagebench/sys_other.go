//go:build !linux

package imagebench

import (
	"errors"
	"syscall"
)

// The bench exists only on Linux. Elsewhere, tests that need it are skipped.

func killWithParent(syscall.Signal) *syscall.SysProcAttr { return nil }

func detach(string) {}

func mountBinfmt(string) error { return errors.ErrUnsupported }
