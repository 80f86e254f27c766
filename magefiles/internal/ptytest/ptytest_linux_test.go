package ptytest_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// Everything that a program wrote is there once it has ended, even if a child of it keeps the terminal.
func TestLastOutputIsComplete(t *testing.T) {
	for script, want := range map[string]string{
		"seq 200000; exit 3":                  "\r\n200000\r\n",
		"sleep 60 & seq 2000; exit 3":         "\r\n2000\r\n",
		"exec 1>&2; printf 'no line'; exit 3": "no line",
	} {
		said, code := ptytest.Start(t, exec.Command("sh", "-c", script)).End()
		require.Equal(t, 3, code, said)
		require.Contains(t, said, want, script)
	}
}
