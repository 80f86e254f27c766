//go:build !linux

package dockerdtest

import "syscall"

func endedBy(syscall.Signal) *syscall.SysProcAttr { return nil }

func detach(string) {}
