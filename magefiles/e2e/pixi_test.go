package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
)

// TestPixiBuildsInDependencyOrder builds this repository's packages with a stand-in that replays recorded responses of pixi 0.77.0. It expects one
// `pixi publish --path=…` per package, dependencies first. An artifact that does not match its manifest is rejected.
func TestPixiBuildsInDependencyOrder(t *testing.T) {
	t.Parallel()
	root := copyOfOurs(t)
	standin := pixitest.Install(t, pixitest.Behavior{})
	mage := func(args ...string) (string, error) {
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = root, append(standin.Env(os.Environ()), "PIPELINE_TOOLCHAIN=pixi")
		out, err := x.CombinedOutput()
		return string(out), err
	}
	out, err := mage("build:all")
	require.NoError(t, err, out)
	require.Contains(t, out, "toolchain: pixi 0.77.0")
	var published []string
	for _, c := range standin.Commands() {
		if rest, ok := strings.CutPrefix(c, "publish --path="); ok {
			path, flags, _ := strings.Cut(rest, " ")
			require.Contains(t, flags, "--target-dir=")
			published = append(published, strings.TrimPrefix(path, root+"/"))
		}
	}
	require.Equal(t, []string{"packages/core", "packages/extras", "packages/ui"}, published)
	require.Equal(t, 3, count(t, root))

	// A cached artifact with an old version is rejected. The existing artifact is kept.
	standin.Behave(pixitest.Behavior{Versions: map[string]string{"foopack-ui": "0.0.9"}})
	out, err = mage("build:all")
	require.Error(t, err)
	require.Contains(t, out, `foopack-ui-0.0.9`)
	require.Contains(t, out, `its version is "0.0.9" and not "0.1.0"`)
	require.Equal(t, 3, count(t, root))
	require.NoFileExists(t, filepath.Join(root, "output", "foopack-ui-0.0.9-pyh4616a5c_0.conda"))

	// An artifact that lacks a pin is rejected too.
	standin.Behave(pixitest.Behavior{Drop: map[string][]string{"foopack-extras": {"foopack-core"}}})
	out, err = mage("build:package", "foopack-extras")
	require.Error(t, err)
	require.Contains(t, out, "foopack-core ==0.1.0")
}

// TestPixiRunsADownstream uses the stand-in to run a downstream's task. The task runs in the downstream's folder. If it uses the workspace's packages
// or a channel on another server, it runs in a folder of links with a modified manifest.
func TestPixiRunsADownstream(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(copyOfOurs(t))
	require.NoError(t, err)
	before, err := os.ReadFile(filepath.Join(root, "app", "pixi.toml"))
	require.NoError(t, err)
	standin := pixitest.Install(t, pixitest.Behavior{})
	for _, c := range []struct{ flag, server, dir, manifest string }{
		{"", "", "app", `foopack-core = "==0.1.0"`},
		{"-local", "", ".pixi/overlay/sources/app", `foopack-core = { path = "` + root + `/packages/core" }`},
		{"", "http://127.0.0.1:1", ".pixi/overlay/server/app", `channels = ["http://127.0.0.1:1/foopack", "https://prefix.dev/conda-forge"]`},
	} {
		args := []string{"app:check"}
		if c.flag != "" {
			args = append(args, c.flag)
		}
		x := exec.Command(filepath.Join(compiled, "targets"), args...)
		x.Dir, x.Env = root, append(standin.Env(os.Environ()), "PIPELINE_TOOLCHAIN=pixi", "PREFIX_SERVER_URL="+c.server)
		out, _ := x.CombinedOutput() // the task may fail, depending on which Python the stand-in finds
		calls := standin.Calls()
		last := calls[len(calls)-1]
		require.Equal(t, []string{"run", "check"}, last.Args, "%s", out)
		require.Equal(t, filepath.Join(root, filepath.FromSlash(c.dir)), last.Dir)
		got, err := os.ReadFile(filepath.Join(last.Dir, "pixi.toml"))
		require.NoError(t, err)
		require.Contains(t, string(got), c.manifest)
		require.FileExists(t, filepath.Join(last.Dir, "src", "myapp", "cli.py"))
	}
	after, err := os.ReadFile(filepath.Join(root, "app", "pixi.toml"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

func count(t *testing.T, root string) int {
	files, err := filepath.Glob(filepath.Join(root, "output", "*.conda"))
	require.NoError(t, err)
	return len(files)
}

// TestPublishWithPixi builds with pixi, uploads with our client, and uses pixi to install the published files into a clean environment. Artifacts
// that pixi built incorrectly are not uploaded. A version that is already on the channel is not rebuilt, even on a machine that never built it.
func TestPublishWithPixi(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range onePackage {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	for name, text := range map[string]string{
		"above/pixi.toml":      "[package]\nname = \"above\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.run-dependencies]\nlib = \"==1.0.0\"\n",
		"above/pyproject.toml": "[project]\nname = \"above\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	const key = "pfx_key_of_the_pixi_test"
	url, _ := startServer(t, root, t.TempDir(), key)
	standin := pixitest.Install(t, pixitest.Behavior{Drop: map[string][]string{"above": {"lib"}}})
	publish := func() (string, error) {
		x := exec.Command(filepath.Join(compiled, "targets"), "publish", "-yes")
		x.Dir, x.Env = root, append(standin.Env(os.Environ()), "PIPELINE_TOOLCHAIN=pixi", "PREFIX_SERVER_URL="+url, "PREFIX_API_KEY="+key)
		out, err := x.CombinedOutput()
		return string(out), err
	}
	calls := func(which string) (n int) {
		for _, c := range standin.Commands() {
			if strings.HasPrefix(c, which) {
				n++
			}
		}
		return n
	}

	out, err := publish()
	require.Error(t, err)
	require.Contains(t, out, "lib ==1.0.0")
	require.NotContains(t, out, "✓ upload")
	require.Equal(t, 2, calls("publish"))

	standin.Behave(pixitest.Behavior{})
	out, err = publish()
	require.NoError(t, err, out)
	require.Contains(t, out, "2 of 2 artifacts")
	require.Contains(t, out, "in 2 levels")
	require.Contains(t, out, "a clean environment, solved by pixi")
	require.Regexp(t, `✓ import .* 2 packages`, out)
	require.Equal(t, 4, calls("publish"))
	require.Equal(t, 2, calls("install"), "before the upload, and from the channel")

	require.NoError(t, os.RemoveAll(filepath.Join(root, "output")))
	out, err = publish()
	require.NoError(t, err, out)
	require.Contains(t, out, "nothing: the channel has this version (not built here")
	require.Equal(t, 4, calls("publish"), "nothing was built again")
	require.Equal(t, 3, calls("install"), "from the channel: nothing was to be sent")
}
