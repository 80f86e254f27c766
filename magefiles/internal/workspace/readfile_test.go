package workspace

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for _, size := range []int{0, 1, 4095, 4096, 4097, 100000} {
		want := bytes.Repeat([]byte("x"), size)
		require.NoError(t, os.WriteFile(file, want, 0o644))
		got, err := readFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	_, err := readFile(file + "x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = readFile(filepath.Dir(file))
	require.ErrorContains(t, err, "is a directory")

	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	for _, endless := range []string{pipe, os.DevNull, "/dev/zero"} {
		_, err = readFile(endless) // must not block waiting for a writer
		require.ErrorContains(t, err, "not a regular file", endless)
	}
}
