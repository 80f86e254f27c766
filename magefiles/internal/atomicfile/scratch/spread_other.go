//go:build !linux

package scratch

// Spread is a no-op, because the flag exists only on Linux.
func Spread(string) {}
