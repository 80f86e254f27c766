package gitrepotest

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// nobody is a user whom permissions bind: nothing is closed to root.
const nobody = 65534

// BindHere lets permissions count for what this test does itself with files, from here on, where it is root. The folder own is given
// to the user that it then is, and read is open to that; git goes on as root.
func BindHere(t *testing.T, own, read string) {
	if os.Geteuid() != 0 {
		return
	}
	require.NoError(t, filepath.WalkDir(own, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(file, nobody, nobody)
	}))
	for _, dir := range []string{own, read} {
		for ; dir != os.TempDir(); dir = filepath.Dir(dir) { // t.TempDir lets nobody else in
			st, err := os.Stat(dir)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(dir, st.Mode().Perm()|0o011))
		}
	}
	runtime.LockOSThread()
	require.NoError(t, syscall.Setfsuid(nobody))
	t.Cleanup(func() {
		require.NoError(t, syscall.Setfsuid(0))
		runtime.UnlockOSThread()
	})
}
