//go:build !linux

package hosttest

import "syscall"

func apart() *syscall.SysProcAttr { return nil }
