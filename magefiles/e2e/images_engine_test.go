package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// engine builds an image for this machine's engine: with -load, and without our targets, by `docker build` with the engine's own builder. It runs the
// image in the engine until the engine reports it as healthy.
func (w *imaging) engine(t *testing.T) {
	host := w.Engine()
	env := []string{"DOCKER_HOST=" + host}

	before := w.tags()
	out, problems, err := w.run(env, "docker:app", "-load")
	require.NoError(t, err, "%s\n%s", out, problems)
	name := w.Registry + "/someone/myapp:0.1.0"
	require.Contains(t, out, "docker run "+name)
	require.Equal(t, before, w.tags(), "nothing leaves the machine")
	w.healthy(t, host, name)

	// The engine's own builder cannot build for two platforms. The error says so and has a next step.
	out, problems, err = w.run(append(env, "BUILDX_BUILDER=default"), "docker:app", "-again")
	require.Error(t, err, out)
	require.Contains(t, problems, "docker's own builder cannot build multi-platform images or attestations")
	require.Contains(t, problems, "docker buildx create")

	config := filepath.Join(t.TempDir(), "config.toml")
	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	mirror := fmt.Appendf(nil, "%q = [%q]\n", "https://repo.prefix.dev/foopack", w.variable("PREFIX_SERVER_URL")+"/foopack")
	require.NoError(t, os.WriteFile(config, append(text, mirror...), 0o600))
	args := []string{"--host", host, "build", "--builder", "default", "--network", "host", "--tag", "plain"}
	for _, name := range []string{"PIXI_IMAGE", "BASE_IMAGE"} {
		args = append(args, "--build-arg", name+"="+w.variable(name))
	}
	args = append(args, "--secret", "id=PIXI_CONFIG,src="+config, "--secret", "id=RATTLER_AUTH_FILE,src="+w.variable("RATTLER_AUTH_FILE"), filepath.Join(w.root, "app"))
	w.Run("", "docker", args...)
	w.healthy(t, host, "plain")
}

// variable returns the value of an environment variable of the pipeline.
func (w *imaging) variable(name string) string {
	for _, v := range slices.Backward(w.env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// healthy runs the application's image in the engine, as images.md describes, and waits for the health check.
func (w *imaging) healthy(t *testing.T, host, name string) {
	id := w.Docker(host, "run", "--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp", name)
	begin := time.Now()
	require.Eventually(t, func() bool {
		return w.Docker(host, "inspect", "--format", "{{.State.Health.Status}}", id) == "healthy"
	}, 5*time.Minute, time.Second, "the engine never says that it is healthy")
	t.Logf("%s: healthy under the engine after %v", name, time.Since(begin))
	require.Equal(t, "10001:10001", w.Docker(host, "inspect", "--format", "{{.Config.User}}", id))
	require.Contains(t, w.Docker(host, "exec", id, "/app/entrypoint", "python", "-m", "myapp", "check"), "foopack-ui")
	w.Docker(host, "stop", "--time", "300", id)
	require.Equal(t, "0", w.Docker(host, "inspect", "--format", "{{.State.ExitCode}}", id), "the container ends by itself when it gets a signal")
}
