package beneath_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// TestHostileFilesEnd reads files that never end: a pipe without a writer, a device, and a file that is larger than allowed.
func TestHostileFilesEnd(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(at("pipe"), 0o644))
	require.NoError(t, os.Symlink("pipe", at("link to a pipe")))
	require.NoError(t, os.Symlink("/dev/zero", at("device")))
	require.NoError(t, os.Mkdir(at("folder"), 0o755))
	for _, name := range []string{"pipe", "link to a pipe", "device", "folder"} {
		_, err := beneath.Read(at(name))
		require.ErrorContains(t, err, "not a regular file", name)
		_, err = beneath.ReadAtMost(at(name), 10)
		require.ErrorContains(t, err, "not a regular file", name)
		_, err = beneath.OpenFile(at(name))
		require.ErrorContains(t, err, "not a regular file", name)
	}
	require.NoError(t, os.WriteFile(at("file"), []byte("0123456789"), 0o644))
	data, err := beneath.ReadAtMost(at("file"), 10)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(data))
	_, err = beneath.ReadAtMost(at("file"), 9)
	require.ErrorContains(t, err, "the file has more than 9 bytes")
	require.NoError(t, os.Symlink("file", at("link")))
	data, err = beneath.Read(at("link"))
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(data))
	f, err := beneath.OpenFile(at("file"))
	require.NoError(t, err)
	defer f.Close()
	var b strings.Builder
	_, err = io.Copy(&b, f)
	require.NoError(t, err)
	require.Equal(t, "0123456789", b.String())
	_, err = beneath.Read(at("none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
