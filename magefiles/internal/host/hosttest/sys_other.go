//go:build !linux

package hosttest

import "syscall"

func ownNamespaces() *syscall.SysProcAttr { return nil }
