// Package linttest runs the linters of this repository over what others get from it.
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

// Workflows runs zizmor and actionlint over the workflow files below a folder. The test is in a package of magefiles/internal, or in e2e.
func Workflows(t *testing.T, top string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "lint")
	put := func(name string, text []byte) {
		t.Helper()
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, text, 0o644))
	}
	put("pixi.toml", []byte("[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"))
	ours, err := workspace.Root(".")
	require.NoError(t, err)
	for _, name := range []string{"go.mod", "magefiles/lint.mod", "magefiles/lint.sum", "magefiles/lint.txt"} {
		text, err := os.ReadFile(filepath.Join(ours, filepath.FromSlash(name)))
		require.NoError(t, err)
		put(name, text)
	}
	require.NoError(t, os.CopyFS(filepath.Join(root, ".github"), os.DirFS(filepath.Join(top, ".github"))))
	w, err := workspace.Load(root)
	require.NoError(t, err)
	var out bytes.Buffer
	v := &view.View{
		Out: &out,
		Err: &out,
	}
	runner := command.NewSystem(os.Environ(), nil)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
	}
	l := lint.Linter{
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
			return embedded.New(embedded.Config{
				Runner:    runner,
				Environ:   runner.Environ(),
				Cache:     filepath.Join(cache, "pixi-release"),
				Workspace: w,
				Log:       v.Err,
			}).Programs(ctx, what, pins)
		},
	}
	require.NoError(t, l.Files(t.Context()), out.String())
}
