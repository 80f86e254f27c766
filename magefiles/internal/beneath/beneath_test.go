package beneath_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// hostile returns a folder that contains symlinks, and a folder beside it that must not be reached.
func hostile(t *testing.T) (dir, outside string) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	dir, outside = filepath.Join(top, "dir"), filepath.Join(top, "outside")
	for _, d := range []string{filepath.Join(dir, "real/deep"), outside} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real/file"), []byte("file"), 0o644))
	require.NoError(t, os.Link(filepath.Join(outside, "secret"), filepath.Join(dir, "real/hard")))
	for name, leads := range map[string]string{
		"out": "../outside/secret", "absolute": filepath.Join(outside, "secret"), "folder": "../outside", "none": "../outside/new",
		"in": "real/file", "infolder": "real", "loop": "loop2", "loop2": "loop", "by": "infolder/../../outside/secret", "up": "real/deep/../../..",
		"home": filepath.Join(dir, "real/file"), "process": "/proc/self/environ",
	} {
		require.NoError(t, os.Symlink(leads, filepath.Join(dir, name)))
	}
	return dir, outside
}

func TestHostileNamesAreNotWritten(t *testing.T) {
	for _, name := range []string{
		"out", "absolute", "none", "folder/new", "folder/secret", "in", "infolder/file", "infolder/deep/new", "loop", "loop/x", "home",
		"../outside/secret", "real/../../outside/new", "/etc/evil", "", ".", "..", "real/deep", "real/file/x",
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside := hostile(t)
			f, err := beneath.Open(dir)
			require.NoError(t, err)
			defer f.Close()
			err = f.Write(name, []byte("evil"), 0o644)
			require.Error(t, err)
			if link, _, _ := strings.Cut(name, "/"); link == "folder" || link == "infolder" || name == "out" || name == "in" {
				var told *beneath.LinkError
				require.ErrorAs(t, err, &told)
				require.Equal(t, link, told.Link)
			}
			left, err := os.ReadDir(outside)
			require.NoError(t, err)
			require.Len(t, left, 1)
			for _, file := range []string{filepath.Join(outside, "secret"), filepath.Join(dir, "real/file")} {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NotContains(t, string(data), "evil")
			}
		})
	}
}

func TestHostileHardLinkIsReplaced(t *testing.T) {
	dir, outside := hostile(t)
	f, err := beneath.Open(dir)
	require.NoError(t, err)
	defer f.Close()
	for _, name := range []string{"real/hard", "real/file", "new/folder/file"} {
		require.NoError(t, f.Write(name, []byte("new"), 0o755))
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, "new", string(data))
	}
	require.NoError(t, f.Write("program", nil, 0o700|os.ModeSetuid|os.ModeSticky))
	st, err := os.Stat(filepath.Join(dir, "program"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode(), "the file is executable, but not setuid")
	data, err := os.ReadFile(filepath.Join(outside, "secret"))
	require.NoError(t, err)
	require.Equal(t, "secret", string(data), "the hard link keeps its content")
}

func TestHostileLinksLeadOut(t *testing.T) {
	dir, outside := hostile(t)
	byLink := filepath.Join(filepath.Dir(dir), "way")
	require.NoError(t, os.Symlink(dir, byLink))
	for name, want := range map[string]string{ // "" if the symlinks form a loop; a path that begins with a slash is outside the folder
		"out": "/secret", "absolute": "/secret", "none": "/new", "by": "/secret", "folder/secret": "/secret", "folder/x/../y": "/y", "loop": "",
		"in": "real/file", "infolder/deep": "real/deep", "home": "real/file", "real/none": "real/none", "real/file": "real/file", ".": ".",
		"infolder/../real/file": "real/file", // ".." is resolved after the symlink
	} {
		at, below := beneath.Leads(byLink, filepath.Join(byLink, ".")+"/"+name)
		switch {
		case want == "":
			require.False(t, below, name)
		case strings.HasPrefix(want, "/"):
			require.Equal(t, outside+want, at, name)
			require.False(t, below, name)
		default:
			require.Equal(t, filepath.Join(dir, want), at, name)
			require.True(t, below, name)
		}
	}
	for _, name := range []string{"up", "process"} {
		_, below := beneath.Leads(dir, filepath.Join(dir, name))
		require.False(t, below, name)
	}
}

func TestHostileLinkInTheMiddleOfAPath(t *testing.T) {
	dir, _ := hostile(t)
	for _, name := range []string{"out", "folder", "folder/x", "infolder/deep", "loop", "in", "../outside", "/etc"} {
		require.Error(t, beneath.NoLink(dir, name), name)
	}
	for _, name := range []string{"real", "real/file", "real/none/deeper", "none-at-all", "."} {
		require.NoError(t, beneath.NoLink(dir, name), name)
	}
	var link *beneath.LinkError
	require.ErrorAs(t, beneath.NoLink(dir, "infolder/deep/x"), &link)
	require.Equal(t, beneath.LinkError{Name: "infolder/deep/x", Link: "infolder", Leads: "real"}, *link)
}

func TestHostileLinksAreNotRead(t *testing.T) {
	dir, outside := hostile(t)
	for _, name := range []string{"out", "absolute", "folder/secret", "by", "process", "up", "none", "loop", "../outside/secret", "infolder/../../outside/secret", "folder/../outside/secret"} {
		_, err := beneath.ReadFile(dir, dir+"/"+name)
		require.ErrorIs(t, err, beneath.ErrOutside, name)
	}
	_, err := beneath.ReadFile(dir, filepath.Join(outside, "secret"))
	require.ErrorIs(t, err, beneath.ErrOutside)
	for _, name := range []string{"in", "home", "infolder/file", "real/deep/../file", "real/hard"} {
		_, err := beneath.ReadFile(dir, dir+"/"+name)
		require.NoError(t, err, name)
	}
	_, err = beneath.ReadFile(dir, filepath.Join(dir, "real"))
	require.ErrorContains(t, err, "not a regular file")
	_, err = beneath.ReadFile(dir, filepath.Join(dir, "real/no"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	_, err = beneath.ReadFile(dir, filepath.Join(dir, "pipe"))
	require.ErrorContains(t, err, "not a regular file", "a pipe without a writer does not block")
	_, err = beneath.ReadFile("/dev", "/dev/zero")
	require.ErrorContains(t, err, "not a regular file")
}
