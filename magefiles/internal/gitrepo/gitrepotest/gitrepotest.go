// Package gitrepotest makes real repositories for the tests of gitrepo and its subpackages.
package gitrepotest

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// New makes a repository with one commit, dated 2026-01-02T03:04:06Z. It contains sub/file, and ignores *.log.
func New(t *testing.T) (string, command.Runner) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid", "GIT_COMMITTER_DATE=2026-01-02T03:04:06Z"), nil)
	for _, f := range first.made(t, run) {
		if f.mode.IsDir() {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, f.name), 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.name), f.data, f.mode.Perm()))
	}
	Git(t, run, dir, "update-index", "-q", "--refresh") // the copied index has the timestamps of the template's files
	return dir, run
}

// template caches the files of a new repository. Each test gets a copy, so that git runs once per test instead of three times.
type template struct {
	sync.Mutex
	files []file // each folder precedes its contents
}

type file struct {
	name string
	mode fs.FileMode
	data []byte
}

var first template

// `made` returns the template's files. The first call makes them.
func (f *template) made(t *testing.T, run command.Runner) []file {
	f.Lock()
	defer f.Unlock()
	if f.files != nil {
		return f.files
	}
	dir := t.TempDir()
	Write(t, dir, "sub/file", "first\n")
	Write(t, dir, ".gitignore", "*.log\n")
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "feat: first"}} {
		Git(t, run, dir, args...)
	}
	var files []file
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := file{
			name: name,
			mode: info.Mode(),
		}
		if !d.IsDir() {
			f.data, err = os.ReadFile(filepath.Join(dir, name))
		}
		files = append(files, f)
		return err
	}))
	f.files = files
	return files
}

// Open is like New, but returns the opened repository, its folder, and a function that runs git in it.
func Open(t *testing.T) (*gitrepo.Repo, string, func(args ...string) string) {
	dir, run := New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	return repo, dir, func(args ...string) string {
		out, err := command.Output(t.Context(), run, command.Cmd{Name: "git", Args: args, Dir: dir})
		require.NoError(t, err)
		return out
	}
}

// Write writes a file, and creates its parent folders.
func Write(t *testing.T, dir, name, text string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

// With returns a runner with additional environment variables.
func With(run command.Runner, variables ...string) command.Runner {
	return command.NewSystem(command.Setenv(run.(*command.System).Environ(), variables...), nil)
}

// Git runs git in a folder and returns its output.
func Git(t *testing.T, run command.Runner, dir string, args ...string) string {
	t.Helper()
	out, err := command.Output(t.Context(), run, command.Cmd{Name: "git", Args: args, Dir: dir})
	require.NoError(t, err, "git %v", args)
	return out
}

// AddRemote adds a bare clone of the repository as the remote origin.
func AddRemote(t *testing.T, dir string, git func(args ...string) string) (bare string) {
	bare = filepath.Join(t.TempDir(), "origin.git")
	git("clone", "-q", "--bare", dir, bare)
	git("remote", "add", "origin", bare)
	git("fetch", "-q", "origin")
	return bare
}

// Hook writes a hook to a git folder.
func Hook(t *testing.T, dir, name, script string) {
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "hooks"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hooks", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// Files returns the contents of all files below a folder, keyed by path.
func Files(t *testing.T, dir string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, relErr := filepath.Rel(dir, path)
		require.NoError(t, relErr)
		found[filepath.ToSlash(rel)] = string(text)
		return err
	}))
	return found
}

// Tree describes all files below a folder, except .git, keyed by path. An executable file's content has the prefix "x ", and a symlink is "-> " and
// its target.
func Tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		switch {
		case d.Name() == ".git" && d.IsDir():
			return filepath.SkipDir
		case d.Name() == ".git" || d.IsDir():
		case d.Type()&fs.ModeSymlink != 0:
			leads, err := os.Readlink(file)
			require.NoError(t, err)
			found[name] = "-> " + leads
		case d.Type().IsRegular():
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			st, err := d.Info()
			require.NoError(t, err)
			found[name] = string(data)
			if st.Mode()&0o111 != 0 {
				found[name] = "x " + string(data)
			}
		default:
			found[name] = d.Type().String()
		}
		return nil
	}))
	return found
}

// Killed writes the record that remains if a release is killed while git runs.
func Killed(t *testing.T, repo *gitrepo.Repo, dir, verb string, since time.Time) (notes string) {
	notes = t.TempDir()
	text, err := json.Marshal(map[string]any{"dir": dir, "verb": verb, "since": since})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(notes, "1-1"), text, 0o644))
	repo.RecordIn(notes)
	return notes
}
