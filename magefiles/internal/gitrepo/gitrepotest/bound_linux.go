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

// nobody is the ID of an unprivileged user. Tests need one because root can open every file.
const nobody = 65534

// BindHere makes file permissions apply to the rest of this test, even if it runs as root. From then on, the current thread accesses files as the
// user nobody, who owns the folder `own` and can enter the folder `read`. Git still runs as root.
func BindHere(t *testing.T, own, read string) {
	if os.Geteuid() != 0 {
		return
	}
	require.NoError(t, filepath.WalkDir(own, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(file, nobody, nobody)
	}))
	for _, dir := range []string{own, read} {
		for ; dir != os.TempDir(); dir = filepath.Dir(dir) { // t.TempDir denies access to other users
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
