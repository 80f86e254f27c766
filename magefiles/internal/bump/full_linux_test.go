package bump_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// With a limit on the file size (ulimit -f, in blocks of 512 bytes), the journal cannot be written, and nothing changes.
func TestNoRoomForTheJournal(t *testing.T) {
	for _, blocks := range []string{"0", "1", "2"} {
		root, before, _ := killable(t)
		cmd := exec.Command("sh", "-c", "ulimit -f "+blocks+"; exec \"$0\"", os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+root)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "%s", out)
		require.Contains(t, string(out), "the files could not be changed, and have their old contents: ")
		require.Equal(t, before, files(t, root))
		require.Equal(t, "before", state(t, root, before, nil))
	}
}

// If the disk is full when the last file has to grow, the other files are restored.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		require.False(t, os.Getenv("CI") != "" && os.Geteuid() == 0, "CI as root mounts file systems: %v", err)
		t.Skipf("no file system may be mounted here (%v); TestNoRoomForTheJournal fills one otherwise", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, 0)) })
	page := os.Getpagesize()
	archive := lockstep + pkg("a", "0.1.9", "") + pkg("z", "0.1.9", runs+"a = \"==0.1.9\"\n")
	source := tree(t, archive)
	require.NoError(t, os.CopyFS(disk, os.DirFS(source)))
	text := files(t, source)["z/pixi.toml"]
	write(t, disk, "z/pixi.toml", text+"#"+strings.Repeat("x", page-len(text)-2)+"\n") // exactly one page long
	p := plan(t, disk, bump.Request{To: "patch"}, nil)
	filler, err := os.Create(filepath.Join(disk, "filler"))
	require.NoError(t, err)
	for err == nil {
		_, err = filler.Write(make([]byte, 512))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())

	before := files(t, disk)
	s := &bump.Store{Top: disk, Dir: t.TempDir()}
	_, err = s.Apply(t.Context(), p)
	require.ErrorContains(t, err, "no space left on device")
	require.ErrorContains(t, err, "the files could not be changed, and have their old contents")
	require.Equal(t, before, files(t, disk))
	said, err := s.Recover()
	require.NoError(t, err)
	require.Empty(t, said)

	require.NoError(t, os.Remove(filepath.Join(disk, "filler")))
	_, err = s.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Contains(t, files(t, disk)["z/pixi.toml"], "0.1.10")
}
