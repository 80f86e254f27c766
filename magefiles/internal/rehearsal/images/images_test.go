package images_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/images"
)

// served starts the embedded image registry.
func served(dir string, wrap func(http.Handler) http.Handler) (host string, end func(), err error) {
	r, err := localregistry.Start(dir, wrap)
	if err != nil {
		return "", nil, err
	}
	return r.Host, func() { _ = r.Close() }, nil
}

// noBuilder and builder are docker scripts for a machine without and with an image builder.
const (
	noBuilder = "echo 'docker: unknown command: docker buildx'; exit 1"
	builder   = "echo 'Name: x'; echo 'Driver: remote'"
)

// start starts a registry on a machine with the given docker script, for a user with the given environment.
func start(t *testing.T, docker, dir string, person []string, may images.May) *images.Images {
	t.Helper()
	bin := t.TempDir()
	if docker != "" {
		require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+docker+"\n"), 0o755))
	}
	i, err := images.Start(t.Context(), &buildx.Builder{Runner: command.NewSystem([]string{"PATH=" + bin}, nil)}, served, dir, person, "the-person's", may)
	require.NoError(t, err)
	t.Cleanup(i.End)
	return i
}

// If images cannot be built, the rehearsal reports why and continues with stand-ins.
func TestBuildersOfImages(t *testing.T) {
	for _, c := range []struct{ docker, why string }{
		{"", "docker is not on PATH"},
		{noBuilder, "docker has no buildx on this machine"},
		{"echo 'ERROR: Cannot connect to the Docker daemon'; exit 1", "does not answer"},
		{"echo 'Name: x'; echo 'Driver: docker-container'", "has a separate network"},
		{builder, ""},
	} {
		dir := t.TempDir()
		i := start(t, c.docker, dir, []string{"HOME=/home/me", "BUILDX_BUILDER=mine", "OTHER=x"}, nil)
		require.Contains(t, i.Why, c.why)
		ours := []string{"IMAGE_REGISTRY=" + i.Host + "/rehearsal", "DOCKER_CONFIG=" + filepath.Join(dir, "docker")}
		if c.why == "" {
			require.Empty(t, i.Why)
			require.Equal(t, ours, i.Environ())
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.Host + "/rehearsal", "BUILDX_BUILDER=mine", "BUILDX_CONFIG=/home/me/.docker/buildx"}, i.OfJobs())
		} else {
			require.Equal(t, append(ours, "REHEARSAL_BUILDER=stand-in"), i.Environ())
			require.Equal(t, []string{"IMAGE_REGISTRY=" + i.Host + "/rehearsal", "REHEARSAL_BUILDER=stand-in"}, i.OfJobs())
		}
	}
}

// A job has the user's docker plugins and contexts, but no logins, and its changes do not affect the user's files.
func TestHomeOfAJob(t *testing.T) {
	theirs := t.TempDir()
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	}
	write(filepath.Join(theirs, ".docker", "cli-plugins", "docker-buildx"), "a program")
	write(filepath.Join(theirs, ".docker", "contexts", "meta", "one", "meta.json"), "{}")
	write(filepath.Join(theirs, ".docker", "config.json"), "{}")
	for name, person := range map[string][]string{
		"home":   {"HOME=" + theirs},
		"folder": {"HOME=/nowhere", "DOCKER_CONFIG=" + filepath.Join(theirs, ".docker")},
	} {
		home := t.TempDir()
		require.NoError(t, start(t, builder, t.TempDir(), person, nil).Furnish(home), name)
		for _, file := range []string{"cli-plugins/docker-buildx", "contexts/meta/one/meta.json"} {
			require.FileExists(t, filepath.Join(home, ".docker", file), name)
		}
		require.NoFileExists(t, filepath.Join(home, ".docker", "config.json"), name)
		write(filepath.Join(home, ".docker", "contexts", "meta", "two", "meta.json"), "{}")
		require.NoError(t, os.Remove(filepath.Join(home, ".docker", "cli-plugins", "docker-buildx")))
		require.NoDirExists(t, filepath.Join(theirs, ".docker", "contexts", "meta", "two"), name)
		require.FileExists(t, filepath.Join(theirs, ".docker", "cli-plugins", "docker-buildx"), name)
	}
	home := t.TempDir()
	require.NoError(t, start(t, builder, t.TempDir(), []string{"HOME=/nowhere"}, nil).Furnish(home), "the user has no docker configuration")
	home = t.TempDir()
	require.NoError(t, start(t, noBuilder, t.TempDir(), []string{"HOME=" + theirs}, nil).Furnish(home))
	require.NoDirExists(t, filepath.Join(home, ".docker"))
}

// With and without a builder, the registry accepts an image only with a token that may write packages.
func TestPushNeedsAToken(t *testing.T) {
	may := func(token string) string {
		return map[string]string{"writes": "write", "reads": "read", "the-person's": "write"}[token]
	}
	for _, docker := range []string{noBuilder, builder} {
		i := start(t, docker, t.TempDir(), []string{"HOME=" + t.TempDir()}, may)
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
		dir, set := command.Getenv(i.Environ(), "DOCKER_CONFIG")
		require.True(t, set)
		t.Setenv("DOCKER_CONFIG", dir)
		require.NoError(t, push(""))
	}
}

// Builds in a rehearsal are logged in to its registry and, for base images, to the user's registries. No login remains after the rehearsal.
func TestLoginsOfTheUser(t *testing.T) {
	theirs, dir := t.TempDir(), t.TempDir()
	before := `{"auths": {"private.example": {"auth": "amFuZTpzZWNyZXQ="}}, "credsStore": "empty", "credHelpers": {"private.example": ""}}`
	require.NoError(t, os.WriteFile(filepath.Join(theirs, "config.json"), []byte(before), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(theirs, "cli-plugins"), 0o755))
	bin := t.TempDir()
	helper := "#!/bin/sh\ncat >/dev/null\necho 'credentials not found in native keychain'\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker-credential-empty"), []byte(helper), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	i := start(t, builder, dir, []string{"HOME=/home/me", "DOCKER_CONFIG=" + theirs}, nil)
	ours, _ := command.Getenv(i.Environ(), "DOCKER_CONFIG")
	require.NotEqual(t, theirs, ours)
	leads, err := os.Readlink(filepath.Join(ours, "cli-plugins"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(theirs, "cli-plugins"), leads)
	info, err := os.Stat(filepath.Join(ours, "config.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	t.Setenv("DOCKER_CONFIG", ours)
	login, err := registry.LoginOf(i.Host + "/rehearsal/app")
	require.NoError(t, err)
	require.Equal(t, "the-person's", login.Password)
	login, err = registry.LoginOf("private.example/base")
	require.NoError(t, err)
	require.Equal(t, "secret", login.Password)

	i.End()
	require.NoDirExists(t, ours)
	require.DirExists(t, filepath.Join(theirs, "cli-plugins"))
	after, err := os.ReadFile(filepath.Join(theirs, "config.json"))
	require.NoError(t, err)
	require.Equal(t, before, string(after))
}
