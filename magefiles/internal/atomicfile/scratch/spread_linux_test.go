package scratch

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Spread sets the flag if the file system supports it, and otherwise does nothing.
func TestSpread(t *testing.T) {
	flags := func(dir string) (int, error) {
		f, err := os.Open(dir)
		require.NoError(t, err)
		defer f.Close()
		return unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	}
	dir := t.TempDir()
	var st unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &st))
	before, known := flags(dir)
	Spread(dir)
	after, _ := flags(dir)
	if st.Type == unix.EXT4_SUPER_MAGIC {
		require.NoError(t, known)
		require.Equal(t, before|topDirectory, after)
	}
	Spread(dir + "/none")
	Spread("/dev/null")
	require.NoError(t, os.Mkdir(dir+"/a", 0o755))
}
