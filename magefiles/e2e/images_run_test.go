package e2e_test

import (
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image"
)

// `runs` inspects the images and runs them as an engine would, with a read-only root, not as root, and without a network.
func (w *imaging) runs(t *testing.T, app, runtime image.Result) {
	root := w.Unpack(app.Repository+"@"+app.Digest, "linux/amd64")
	w.lean(t, root)
	require.Equal(t, elf.EM_X86_64, machine(t, root, "app"))
	require.Equal(t, elf.EM_AARCH64, machine(t, w.Unpack(app.Repository+"@"+app.Digest, "linux/arm64"), "app"),
		"the environment of the arm64 image is of its own platform")
	w.serves(t, root, app)
	w.greets(t, w.Unpack(runtime.Repository+"@"+runtime.Digest, "linux/amd64"), runtime)
}

// configOf holds the parts of an image configuration that these tests use.
type configOf struct {
	Env, Entrypoint, Cmd []string
	WorkingDir           string
	Healthcheck          struct{ Test []string }
}

func (w *imaging) configOf(t *testing.T, r image.Result) configOf {
	t.Helper()
	var config struct{ Config configOf }
	text := w.Run("", "skopeo", "inspect", "--tls-verify=false", "--override-arch", "amd64", "--raw", "--config", "docker://"+r.Repository+"@"+r.Digest)
	require.NoError(t, json.Unmarshal([]byte(text), &config))
	return config.Config
}

// machine returns the architecture of the environment's Python.
func machine(t *testing.T, root, dir string) elf.Machine {
	t.Helper()
	f, err := elf.Open(filepath.Join(root, dir, ".pixi/envs/default/bin/python3.11"))
	require.NoError(t, err)
	defer f.Close()
	return f.Machine
}

// lean checks that an image has no pixi, no package cache, no compiler and no secret.
func (w *imaging) lean(t *testing.T, root string) {
	files := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files++
		rel := strings.TrimPrefix(path, root)
		switch base := filepath.Base(path); {
		case base == "pixi" && !e.IsDir() && !strings.Contains(rel, "conda-meta"):
			t.Errorf("there is a pixi: %s", rel)
		case strings.HasSuffix(base, ".conda"), strings.Contains(rel, "/.cache/"), strings.Contains(rel, "/repodata"):
			t.Errorf("there is a package cache: %s", rel)
		case !e.IsDir() && slices.Contains([]string{"gcc", "cc", "clang", "ld", "as"}, base):
			t.Errorf("there is a compiler: %s", rel)
		}
		return nil
	}))
	require.Greater(t, files, 1000)
	w.secretless(t, root)
	t.Logf("the application's image: %s unpacked", strings.Fields(w.Run("", "du", "-sh", root))[0])
}

// secretless checks that no file contains a credential of the build or a path of this machine.
func (w *imaging) secretless(t *testing.T, root string) {
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		require.NotContains(t, string(data), imageSecret, path)
		require.NotContains(t, string(data), w.root, path)
		return err
	}))
}

// container is an image that runs under runc, with the image's configuration, an optionally read-only root, /tmp in memory, and its own network
// namespace.
type container struct {
	w  *imaging
	id string
	x  *exec.Cmd
}

func (w *imaging) start(t *testing.T, root string, readonly bool, env, argv []string, cwd string) *container {
	bundle := t.TempDir()
	w.Run(bundle, "runc", "spec")
	var spec map[string]any
	file := filepath.Join(bundle, "config.json")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &spec))
	process := spec["process"].(map[string]any)
	process["terminal"], process["args"], process["env"], process["cwd"] = false, argv, env, cwd
	process["user"] = map[string]any{"uid": 10001, "gid": 10001}
	process["noNewPrivileges"] = true
	spec["root"] = map[string]any{"path": root, "readonly": readonly}
	spec["mounts"] = append(spec["mounts"].([]any), map[string]any{
		"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=1777", "nosuid"},
	})
	data, err = json.Marshal(spec)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, data, 0o644))
	c := &container{w: w, id: "bench-" + filepath.Base(filepath.Dir(bundle)) + "-" + filepath.Base(bundle)}
	c.id = strings.ReplaceAll(c.id, "/", "-")
	c.x = exec.CommandContext(t.Context(), "runc", "run", "--bundle", bundle, c.id)
	c.x.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin")
	t.Cleanup(func() { _ = exec.Command("runc", "delete", "--force", c.id).Run() })
	return c
}

// exec runs a command in the container, like an engine that runs a health check.
func (c *container) exec(argv ...string) (string, error) {
	x := exec.Command("runc", append([]string{"exec", c.id}, argv...)...)
	out, err := x.CombinedOutput()
	return string(out), err
}

// serves starts the dashboard, waits until it is healthy, and stops it with a signal.
func (w *imaging) serves(t *testing.T, root string, app image.Result) {
	image := w.configOf(t, app)
	require.NotEmpty(t, image.Healthcheck.Test)
	c := w.start(t, root, true, image.Env, append(image.Entrypoint, image.Cmd...), image.WorkingDir)
	var log strings.Builder
	c.x.Stdout, c.x.Stderr = &log, &log
	require.NoError(t, c.x.Start())
	begin := time.Now()
	var said, out string
	defer func() {
		if t.Failed() {
			t.Log(out, said, log.String())
		}
	}()
	require.Eventually(t, func() (healthy bool) {
		out, err := c.exec(image.Healthcheck.Test[1:]...)
		said = out
		return err == nil
	}, 5*time.Minute, time.Second, "the health check never passes")
	t.Logf("healthy after %v", time.Since(begin))

	require.Eventually(t, func() (well bool) { // /healthz returns 503 until the initial import tests are done
		var err error
		out, err = c.exec("/app/entrypoint", "python", "-c", `
import json, urllib.request
health = json.load(urllib.request.urlopen("http://127.0.0.1:5006/healthz"))
page = urllib.request.urlopen("http://127.0.0.1:5006/").read().decode()
assert "<html" in page
print(json.dumps(health))
`)
		return err == nil
	}, 5*time.Minute, time.Second, "/healthz never says that all is well")
	var health struct {
		Revision string
		Versions map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(out), &health), out)
	for _, name := range []string{"foopack-core", "foopack-extras", "foopack-ui"} {
		require.Equal(t, "0.1.0", health.Versions[name])
	}
	require.Equal(t, app.Images[0].Labels["org.opencontainers.image.revision"], health.Revision)

	stopped := time.Now()
	require.NoError(t, exec.Command("runc", "kill", c.id, "TERM").Run())
	err := c.x.Wait()
	status := c.x.ProcessState.Sys().(syscall.WaitStatus)
	require.False(t, status.Signaled(), "%v", err)
	t.Logf("stopped %v after SIGTERM, with status %d", time.Since(stopped), status.ExitStatus())
}

// greets runs the default command of the runtime image, with a read-only root and with a writable one. The container has no network and so cannot
// install anything.
func (w *imaging) greets(t *testing.T, root string, runtime image.Result) {
	w.secretless(t, root)
	image := w.configOf(t, runtime)
	for _, readonly := range []bool{true, false} {
		c := w.start(t, root, readonly, image.Env, append(image.Entrypoint, image.Cmd...), image.WorkingDir)
		out, err := c.x.CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, hello := range []string{"Hello from foopack-core 0.1.0", "Hello from foopack-extras 0.1.0", "Hello from foopack-ui 0.1.0"} {
			require.Contains(t, string(out), hello)
		}
	}
}
