package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// canaries contains fake credentials of every kind, none of which code in the repository may see.
var canaries = map[string]string{
	"ACTIONS_RUNTIME_TOKEN": "canary-of-the-runner", "NPM_TOKEN": "canary-of-npm", "MY_API_KEY": "canary-of-a-key", "DB_URL": "postgres://me:canary-of-a-url@db/x",
	"AWS_SECRET_ACCESS_KEY": "canary-of-a-cloud", "RATTLER_AUTH_FILE": "/canary/of/a/file", "UV_INDEX_OURS_PASSWORD": "canary-of-an-index",
}

// writesEnvironment returns Python code that writes its environment to a file.
func writesEnvironment(dir, name string) string {
	return fmt.Sprintf("import os as _os\nopen(%q + str(_os.getpid()), 'w').write(repr(dict(_os.environ)))\n", filepath.Join(dir, name))
}

// TestHostileCodeOfTheRepository has a repository whose code writes its environment to files: tasks, build hooks, imported modules, and commit hooks.
// None of this code gets a credential, but the release itself has the credentials that it needs.
func TestHostileCodeOfTheRepository(t *testing.T) {
	t.Parallel()
	seen := t.TempDir()
	hatch := "[tool.hatch.build.hooks.custom]\npath = \"hooks.py\"\n"
	r := newReleasing(t, releaseOptions{
		by:   "here",
		real: true,
		files: map[string]string{
			"packages/core/src/mono_core/__init__.py": "__version__ = \"0.1.6\"\n" + writesEnvironment(seen, "import"),
			"packages/core/hooks.py": "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n" + writesEnvironment(seen, "build") +
				"class H(BuildHookInterface):\n    pass\n",
		},
	})
	write(t, r.dir, "packages/core/pyproject.toml", readFile(t, r.dir, "packages/core/pyproject.toml")+hatch)
	manifest := readFile(t, r.dir, "pixi.toml")
	write(t, r.dir, "pixi.toml", strings.Replace(manifest, `qa = "`, `qa = "env > `+filepath.Join(seen, "task")+` && `, 1)+"pass = [\"MY_API_KEY\"]\n")
	for _, name := range []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"} {
		hook(t, filepath.Join(r.dir, ".git", "hooks"), name, "env > "+filepath.Join(seen, name))
	}
	hook(t, filepath.Join(r.dir, ".git", "hooks"), "pre-push", "env > "+filepath.Join(t.TempDir(), "push"))
	r.pushAll("feat: hostile")
	for name, value := range canaries {
		r.env = command.Setenv(r.env, name+"="+value)
	}
	r.env = command.Setenv(r.env, "SSH_AUTH_SOCK=/canary/of/an/agent")
	r.ok("release", "-to=patch", "-yes")

	secrets := []string{"/canary/of/an/agent"}
	for name, value := range canaries {
		if name != "MY_API_KEY" { // the manifest passes it to tasks and builds
			secrets = append(secrets, value)
		}
	}
	for _, name := range []string{"PREFIX_API_KEY", "GITHUB_TOKEN"} {
		value, ok := command.Getenv(r.env, name)
		require.True(t, ok, name)
		secrets = append(secrets, value)
	}
	for name, agents := range map[string]bool{"task": false, "build": false, "import": false, "pre-commit": true, "prepare-commit-msg": true, "commit-msg": true, "post-commit": true} {
		files, err := filepath.Glob(filepath.Join(seen, name+"*"))
		require.NoError(t, err)
		require.NotEmpty(t, files, "%s was not run", name)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, secret := range secrets {
				if !agents || secret != "/canary/of/an/agent" { // needed for signing
					require.NotContains(t, string(text), secret, name)
				}
			}
		}
	}
	task, err := os.ReadFile(filepath.Join(seen, "task"))
	require.NoError(t, err)
	require.Contains(t, string(task), "canary-of-a-key")
}

// TestHostileTaskReadsItsParents has a task that reads the environments of all its parent processes, up to the test's own. It finds no credential.
func TestHostileTaskReadsItsParents(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI has /proc: %v", err)
		t.Skip("there is no /proc")
	}
	seen := filepath.Join(t.TempDir(), "seen")
	const look = `import os
pid, said, depth = os.getppid(), b"", 0
while pid > 1 and pid != int(os.environ["TEST_PROCESS"]):
    said += open(f"/proc/{pid}/environ", "rb").read()
    pid, depth = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]), depth + 1
open(%q, "wb").write(b"%%d above\n" %% depth + said)
`
	r := newReleasing(t, releaseOptions{by: "here", real: true, files: map[string]string{"look.py": fmt.Sprintf(look, seen)}})
	r.commit("test: look", map[string]string{"pixi.toml": strings.Replace(readFile(t, r.dir, "pixi.toml"), `qa = "`, `qa = "python3 look.py && `, 1)})
	git(t, r.dir, "push", "-q", "origin", "main")
	r.env = command.Setenv(r.env, "TEST_PROCESS="+fmt.Sprint(os.Getpid()), "NPM_TOKEN=canary-of-npm")
	r.ok("release", "-to=patch", "-yes")
	said, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.NotContains(t, string(said), "0 above")
	for _, name := range []string{"PREFIX_API_KEY", "GITHUB_TOKEN", "NPM_TOKEN"} {
		value, ok := command.Getenv(r.env, name)
		require.True(t, ok, name)
		require.NotContains(t, string(said), value)
	}
}

// TestWithheldIsNamed checks that the error of a failed task names the withheld credential and explains how to pass it.
func TestWithheldIsNamed(t *testing.T) {
	t.Parallel()
	for _, real := range []bool{false, true} {
		r := newReleasing(t, releaseOptions{by: "here", real: real})
		r.commit("test: one that needs a token", map[string]string{
			"pixi.toml": strings.Replace(readFile(t, r.dir, "pixi.toml"), `qa = "`, `qa = "test -n \"$NPM_TOKEN\" && `, 1),
		})
		git(t, r.dir, "push", "-q", "origin", "main")
		r.env = command.Setenv(r.env, "NPM_TOKEN=canary-of-npm")
		out := r.refused(1, "NPM_TOKEN", "release", "-to=patch", "-yes")
		require.Contains(t, out, "The command ran without the variable")
		require.Contains(t, out, "[tool.release] pass = [")
		r.ok("undo", "-yes")
		r.commit("test: let it have one", map[string]string{"pixi.toml": readFile(t, r.dir, "pixi.toml") + "pass = [\"NPM_TOKEN\"]\n"})
		git(t, r.dir, "push", "-q", "origin", "main")
		require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")

		r.commit("test: show it", map[string]string{
			"pixi.toml": strings.Replace(readFile(t, r.dir, "pixi.toml"), `test -n \"$NPM_TOKEN\" && `, `echo it is $NPM_TOKEN && false && `, 1),
		})
		git(t, r.dir, "push", "-q", "origin", "main")
		out = r.refused(1, "it is ***", "release", "-to=patch", "-yes")
		require.NotContains(t, out, "canary-of-npm", "a variable that a task was given is hidden in the output")
	}
}
