package targets

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Where images cannot be built, a rehearsal is told why, and goes on.
func TestRehearsalOfImagesNamesWhatIsMissing(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte("[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"), 0o644))
	w, err := workspace.Load(root)
	require.NoError(t, err)
	show := func(string, func() (string, error)) error { t.Error("a step was taken"); return nil }
	for _, c := range []struct{ docker, why string }{
		{"", "there is no docker on PATH"},
		{"echo 'docker: unknown command: docker buildx'; exit 1", "docker has no buildx here"},
		{"echo 'ERROR: Cannot connect to the Docker daemon'; exit 1", "the builder does not answer"},
		{"echo 'Name: x'; echo 'Driver: docker-container'", "has a network of its own"},
	} {
		bin := t.TempDir()
		if c.docker != "" {
			require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+c.docker+"\n"), 0o755))
		}
		var out bytes.Buffer
		a := &pipeline{dir: root, view: &view.View{Out: &out, Err: &out}, runner: command.NewSystem([]string{"PATH=" + bin}, nil), channels: newChannels()}
		made, err := a.rehearseImages(t.Context(), w, "http://127.0.0.1:1", t.TempDir(), show)
		require.NoError(t, err)
		made.End()
		require.Empty(t, made.Of)
		require.Contains(t, made.Why, c.why)
	}
}
