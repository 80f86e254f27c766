package gitrepotest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// Submodules is a repository with two submodules. One is in a package and contains a nested submodule; the other is outside the package.
type Submodules struct {
	t       *testing.T
	Base    string
	Run     command.Runner
	Dir     string
	Repo    *gitrepo.Repo
	Address map[string]string // URLs of submodules
}

// Git runs git in a folder and returns its output.
func (w *Submodules) Git(dir string, args ...string) string {
	w.t.Helper()
	out, err := command.Output(w.t.Context(), w.Run, command.Cmd{Name: "git", Args: append([]string{"-c", "protocol.file.allow=always"}, args...), Dir: dir})
	require.NoError(w.t, err, "%v", args)
	return out
}

// Make makes another repository in Base.
func (w *Submodules) Make(name string) string {
	dir := filepath.Join(w.Base, name)
	Write(w.t, dir, "file.py", name+" = 1\n")
	w.Git(dir, "init", "-q", "-b", "main")
	w.Git(dir, "add", "-A")
	w.Git(dir, "commit", "-q", "-m", "feat: "+name)
	return dir
}

// NewSubmodules makes a Submodules repository with all submodules checked out.
func NewSubmodules(t *testing.T) *Submodules {
	dir, run := New(t)
	w := &Submodules{t: t, Base: t.TempDir(), Run: run, Dir: dir, Address: map[string]string{}}
	inner, lib, docs := w.Make("inner"), w.Make("lib"), w.Make("docs")
	w.Git(lib, "submodule", "--quiet", "add", inner, "deep/inner")
	w.Git(lib, "commit", "-q", "-m", "feat: inner")
	Write(t, dir, "pkg/pixi.toml", "")
	w.Git(dir, "submodule", "--quiet", "add", lib, "pkg/src/lib")
	w.Git(dir, "submodule", "--quiet", "add", "--name", "a theme", docs, "docs")
	w.Git(dir, "submodule", "--quiet", "update", "--init", "--recursive")
	w.Git(dir, "add", "-A")
	w.Git(dir, "commit", "-q", "-m", "feat: submodules")
	var err error
	w.Repo, err = gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	return w
}

// Without removes a file or a folder.
func (w *Submodules) Without(file string) {
	require.NoError(w.t, os.RemoveAll(file))
}
