package rehearsal

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// served is the embedded registry.
func served(dir string, wrap func(http.Handler) http.Handler) (host string, end func(), err error) {
	r, err := localregistry.Start(dir, wrap)
	if err != nil {
		return "", nil, err
	}
	return r.Host, func() { _ = r.Close() }, nil
}

// Where images cannot be built a rehearsal is told why, and goes on with stand-ins.
func TestWhatBuildsImages(t *testing.T) {
	for _, c := range []struct{ docker, why string }{
		{"", "there is no docker on PATH"},
		{"echo 'docker: unknown command: docker buildx'; exit 1", "docker has no buildx here"},
		{"echo 'ERROR: Cannot connect to the Docker daemon'; exit 1", "the builder does not answer"},
		{"echo 'Name: x'; echo 'Driver: docker-container'", "has a network of its own"},
		{"echo 'Name: x'; echo 'Driver: remote'", ""},
	} {
		bin := t.TempDir()
		if c.docker != "" {
			require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+c.docker+"\n"), 0o755))
		}
		i, err := startImages(t.Context(), &buildx.Builder{Runner: command.NewSystem([]string{"PATH=" + bin}, nil)}, served, t.TempDir(), &World{token: "the-person's"})
		require.NoError(t, err)
		require.Contains(t, i.why, c.why)
		jobs := i.ofJobs([]string{"HOME=/home/me", "BUILDX_BUILDER=mine", "OTHER=x"})
		if c.why == "" {
			require.Empty(t, i.why)
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.host + "/rehearsal", "BUILDX_BUILDER=mine", "BUILDX_CONFIG=/home/me/.docker/buildx"}, jobs)
		} else {
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.host + "/rehearsal", "REHEARSAL_BUILDER=stand-in"}, jobs)
		}
		i.end()
	}
}

// The registry takes an image from who may write packages, and from nobody else.
func TestWhoPushesImages(t *testing.T) {
	w := &World{
		token:   "the-person's",
		granted: map[string]map[string]string{"writes": {"packages": "write"}, "reads": {"packages": "read", "contents": "write"}},
	}
	i, err := startImages(t.Context(), &buildx.Builder{Runner: command.NewSystem([]string{"PATH="}, nil)}, served, t.TempDir(), w)
	require.NoError(t, err)
	defer i.end()
	push := func(password string) error {
		_, err := localbuilder.Push(t.Context(), localbuilder.Image{
			Repository: i.host + "/rehearsal/app",
			Platforms:  []string{"linux/amd64"},
			Password:   password,
		}, "")
		return err
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	require.ErrorContains(t, push(""), "nobody is logged in")
	require.ErrorContains(t, push("reads"), "permissions of its job lack packages: write")
	require.ErrorContains(t, push("another"), "DENIED")
	require.NoError(t, push("writes"))
	require.NoError(t, push("the-person's"))
	t.Setenv("DOCKER_CONFIG", i.docker)
	require.NoError(t, push(""))
}
