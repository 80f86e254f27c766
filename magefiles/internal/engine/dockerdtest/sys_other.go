//go:build !linux

package dockerdtest

import (
	"errors"
	"syscall"
)

func killWithParent(syscall.Signal) *syscall.SysProcAttr { return nil }

func detach(string) {}

func mount(string, int) error { return errors.ErrUnsupported }

func free(string) int64 { return 0 }

func unbridge(string) {}
