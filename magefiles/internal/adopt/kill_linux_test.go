package adopt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/killtest"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// childVariable makes the test program a child that writes the files of an init.
const childVariable = "ADOPT_TEST_WRITE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := errors.Join(killtest.Begin(), write(filepath.Join(dir, "top"), filepath.Join(dir, "journal"), planned())); err != nil {
			fmt.Fprintf(os.Stderr, "%+v\n", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// planned returns the files of an init: new files in new folders, and a changed file.
func planned() []File {
	return []File{
		{Path: ".github/workflows/ci.yml", New: []byte("on: push\n")},
		{Path: "go.mod", New: []byte("module acme\n")},
		{Path: "magefiles/magefile.go", New: []byte("package main\n")},
		{Path: "pixi.toml", Old: []byte("[workspace]\n"), New: []byte("[workspace]\n\n[tool.release]\n")},
	}
}

// An init is killed before each of its system calls. Either all files are written, or none, or the next run says that some are, and takes
// them back. A dry run says so and changes nothing.
func TestKilledBeforeEachSystemCall(t *testing.T) {
	seen := map[string]int{}
	for n, killed := 1, true; killed; n++ {
		dir := t.TempDir()
		top, journal := filepath.Join(dir, "top"), filepath.Join(dir, "journal")
		require.NoError(t, os.Mkdir(top, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(top, "pixi.toml"), []byte("[workspace]\n"), 0o644))
		before := filesOf(t, top)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		var err error
		killed, err = killtest.Before(t, cmd, n)
		if errors.Is(err, syscall.EPERM) {
			require.Empty(t, os.Getenv("CI"), "CI lets a process trace its children: %v", err)
			t.Skip("no child may be traced here")
		}
		require.NoError(t, err)
		var said bytes.Buffer
		a := Adopter{View: &view.View{Out: &said, Err: &said}}
		_, err = os.Lstat(journal)
		half := err == nil
		if half {
			left := filesOf(t, top)
			require.ErrorContains(t, a.takeBack(top, journal, true), "an earlier init did not finish")
			require.Equal(t, left, filesOf(t, top), "a dry run changes nothing")
			seen["half"]++
		}
		require.NoError(t, a.takeBack(top, journal, false))
		require.Equal(t, half, strings.Contains(said.String(), "an earlier init did not finish, and was undone"))
		if now := filesOf(t, top); len(now) == len(before) {
			require.Equal(t, before, now, "killed before system call %d", n)
			seen["none"]++
		} else {
			require.Len(t, now, len(planned()), "killed before system call %d", n)
			seen["all"]++
			continue
		}
		require.NoError(t, write(top, journal, planned()), "it can be written after all")
	}
	require.Greater(t, seen["half"], 5)
	require.Greater(t, seen["none"], seen["half"])
	require.Positive(t, seen["all"])
}

// filesOf returns the files below a folder, with their texts.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	}))
	return all
}
