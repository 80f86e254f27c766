package images_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/images"
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
		dir := t.TempDir()
		i, err := images.Start(t.Context(), &buildx.Builder{Runner: command.NewSystem([]string{"PATH=" + bin}, nil)}, served, dir, "the-person's", nil)
		require.NoError(t, err)
		require.Contains(t, i.Why, c.why)
		jobs := i.OfJobs([]string{"HOME=/home/me", "BUILDX_BUILDER=mine", "OTHER=x"})
		if c.why == "" {
			require.Empty(t, i.Why)
			docker := filepath.Join(dir, "docker-of-jobs")
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.Host + "/rehearsal", "BUILDX_BUILDER=mine", "DOCKER_CONFIG=" + docker, "BUILDX_CONFIG=/home/me/.docker/buildx"}, jobs)
			leads, err := os.Readlink(filepath.Join(docker, "cli-plugins"))
			require.NoError(t, err)
			require.Equal(t, "/home/me/.docker/cli-plugins", leads)
			require.NoFileExists(t, filepath.Join(docker, "config.json"), "no login of the person's")
		} else {
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.Host + "/rehearsal", "REHEARSAL_BUILDER=stand-in"}, jobs)
		}
		i.End()
	}
}

// The registry takes an image from who may write packages, and from nobody else.
func TestWhoPushesImages(t *testing.T) {
	may := func(token string) string {
		return map[string]string{"writes": "write", "reads": "read", "the-person's": "write"}[token]
	}
	i, err := images.Start(t.Context(), &buildx.Builder{Runner: command.NewSystem([]string{"PATH="}, nil)}, served, t.TempDir(), "the-person's", may)
	require.NoError(t, err)
	defer i.End()
	push := func(password string) error {
		_, err := localbuilder.Push(t.Context(), localbuilder.Image{
			Repository: i.Host + "/rehearsal/app",
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
	for _, kv := range i.Environ() {
		if dir, is := strings.CutPrefix(kv, "DOCKER_CONFIG="); is {
			t.Setenv("DOCKER_CONFIG", dir)
		}
	}
	require.NoError(t, push(""))
}
