package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
)

// Images are built with the same version of pixi as everything else, because a pixi version may not be able to read a newer version's lock file.
func TestDockerfilesPinOurPixi(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(repo, "*", "Dockerfile"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(repo, "containers", "*", "Dockerfile"))
	require.NoError(t, err)
	files = append(files, more...)
	require.Len(t, files, 2)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), "\nARG PIXI_IMAGE=ghcr.io/prefix-dev/pixi:"+pixi.Version+"-", file)
		require.NotContains(t, string(text), "# syntax=", "that would pull a frontend")
	}
}
