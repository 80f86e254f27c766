// Package linttest runs this repository's linters in another folder, with this repository's pins.
package linttest

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lint"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Folder makes a new workspace with only the files that install the linters.
func Folder(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "lint")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "magefiles"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte("[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"), 0o644))
	ours, err := workspace.Root(".")
	require.NoError(t, err)
	for _, name := range []string{"go.mod", "magefiles/lint.mod", "magefiles/lint.sum", "magefiles/lint.txt"} {
		text, err := os.ReadFile(filepath.Join(ours, filepath.FromSlash(name)))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), text, 0o644))
	}
	return root
}

// Files runs the linters of workflows, scripts and Dockerfiles over such a folder, shows their output in a view, and returns their error.
func Files(t *testing.T, root string, v *view.View) error {
	t.Helper()
	w, err := workspace.Load(root)
	require.NoError(t, err)
	l := Linter(w, v)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(t, l.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
	}
	return l.Files(t.Context())
}

// Workflows fails the test if zizmor or actionlint finds anything in the workflow files below a folder.
func Workflows(t *testing.T, top string) {
	t.Helper()
	root := Folder(t)
	require.NoError(t, os.CopyFS(filepath.Join(root, ".github"), os.DirFS(filepath.Join(top, ".github"))))
	var out bytes.Buffer
	require.NoError(t, Files(t, root, &view.View{Out: &out, Err: &out}), out.String())
}

// Linter returns a linter that shows its jobs in a view, and installs its programs from PyPI.
func Linter(w *workspace.Workspace, v *view.View) lint.Linter {
	runner := command.NewSystem(os.Environ(), nil)
	return lint.Linter{
		Runner:    runner,
		Environ:   runner.Environ(),
		Workspace: w,
		Job: func(_ context.Context, name, _ string, f func(out io.Writer) error) error {
			g := v.Group(name)
			return g.Done(f(g))
		},
		Programs: func(ctx context.Context, what, pins string) (string, error) {
			cache, err := os.UserCacheDir()
			if err != nil {
				return "", err
			}
			tools := embedded.New(embedded.Config{Runner: runner, Environ: runner.Environ(), Cache: filepath.Join(cache, "pixi-release"), Workspace: w, Log: v.Err})
			return tools.Programs(ctx, what, pins)
		},
	}
}
