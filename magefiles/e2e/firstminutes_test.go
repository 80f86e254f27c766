package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// TestFirstMinutes starts without a working setup, as a new user does. The output of each command that a new user would try first ends with an arrow
// and a next step.
func TestFirstMinutes(t *testing.T) {
	t.Parallel()
	const rehearse = "→ run `mage rehearse`, which makes a whole release of the last commit; nothing leaves this machine"
	for name, c := range map[string]struct {
		has   []string // files in the workspace
		git   bool     // whether the file is committed
		path  []string // the programs on PATH; nil means the programs of this machine
		env   []string
		check string // next step that `mage` prints; "" if `mage` succeeds
		goes  string // error of `mage rehearse`; "" if the rehearsal succeeds
		looks string // error of `mage doctor`
	}{
		"a folder that is no workspace": {
			check: "→ run this command inside a pixi workspace, or make a workspace with `pixi init`",
			goes:  "→ run this command inside a pixi workspace, or make a workspace with `pixi init`",
			looks: "→ run this command inside a pixi workspace, or make a workspace with `pixi init`",
		},
		"a workspace without packages": {
			has:   []string{"pixi.toml"},
			git:   true,
			check: "→ give a member a manifest with a [package] table",
			goes:  "→ give a member a manifest with a [package] table",
			looks: "→ give a member a manifest with a [package] table",
		},
		"outside a git repository": {
			has:   []string{"pixi.toml", "lib/pixi.toml", "lib/pyproject.toml"},
			goes:  "→ run `git init` and commit the workspace",
			looks: "→ run `git init` and commit the workspace",
		},
		"without git": {
			has:   []string{"pixi.toml", "lib/pixi.toml", "lib/pyproject.toml"},
			git:   true,
			path:  []string{"env", "sh", "python3"},
			goes:  "→ install git",
			looks: "→ apt-get install git",
		},
		"without Python": {
			has:   []string{"pixi.toml", "lib/pixi.toml", "lib/pyproject.toml"},
			git:   true,
			path:  []string{"env", "sh", "git"},
			check: "→ install Python (on Debian: apt-get install python3 python3-venv), or install pixi",
			goes:  "→ install Python (on Debian: apt-get install python3 python3-venv), or install pixi",
			looks: "→ apt-get install python3 python3-venv",
		},
		"without a remote": {
			has:   []string{"pixi.toml", "lib/pixi.toml", "lib/pyproject.toml", "lib/src/lib/__init__.py", ".gitignore"},
			git:   true,
			looks: rehearse + "; before a real release: `git remote add origin URL`",
		},
		"behind a proxy that does not answer, with nothing installed": {
			has:   []string{"pixi.toml", "lib/pixi.toml", "lib/pyproject.toml", "lib/src/lib/__init__.py", ".gitignore"},
			git:   true,
			env:   []string{"XDG_CACHE_HOME=fresh", "PIP_INDEX_URL=https://pypi.invalid/simple", "UV_DEFAULT_INDEX=https://pypi.invalid/simple", "HTTPS_PROXY=http://127.0.0.1:1", "PIP_RETRIES=0", "PIP_FIND_LINKS=", "PIP_CONFIG_FILE=" + os.DevNull},
			check: "or set HTTPS_PROXY to a proxy",
			goes:  "or set HTTPS_PROXY to a proxy",
			looks: rehearse,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, file := range c.has {
				write(t, dir, file, beginners[file])
			}
			env := append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_GLOBAL="+os.DevNull, "PIPELINE_TOOLCHAIN=", "PYENV_ROOT=", "UV_PYTHON_INSTALL_DIR=", "RUNNER_TOOL_CACHE=", "AGENT_TOOLSDIRECTORY=", "XDG_DATA_HOME=")
			cache, err := os.UserCacheDir()
			require.NoError(t, err)
			env = append(env, "XDG_CACHE_HOME="+cache)
			if c.git {
				git(t, dir, "init", "-q", "-b", "main")
				git(t, dir, "add", "-A")
				git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first")
			}
			if c.path != nil {
				bin := t.TempDir()
				for _, program := range c.path {
					at, err := exec.LookPath(program)
					require.NoError(t, err)
					if program == "python3" {
						at = pythontest.Interpreter(t).Path // the interpreter itself, because a shim would search PATH
					}
					require.NoError(t, os.Symlink(at, filepath.Join(bin, program)))
				}
				env = append(env, "PATH="+bin)
			}
			for _, kv := range c.env {
				env = append(env, strings.Replace(kv, "=fresh", "="+t.TempDir(), 1))
			}
			run := func(arg string, fails bool, says string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), filepath.Join(compiled, "targets"))
				if arg != "" {
					cmd.Args = append(cmd.Args, arg)
				}
				cmd.Dir, cmd.Env = dir, env
				out, err := cmd.CombinedOutput()
				require.Equal(t, fails, err != nil, "mage %s\n%s", arg, out)
				require.Contains(t, string(out), says, "mage %s", arg)
				if fails && says != "" {
					require.LessOrEqual(t, strings.Count(string(out), says), 2, "mage %s says it again and again\n%s", arg, out)
				}
			}
			run("", c.check != "", c.check)
			run("doctor", strings.Contains(name, "no workspace") || c.path != nil, c.looks)
			run("rehearse", c.goes != "", c.goes)
		})
	}
}

// beginners contains the files of a small workspace.
var beginners = map[string]string{
	".gitignore":              "/output/\n/.pixi/\n",
	"pixi.toml":               "[workspace]\nname = \"acme\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[tasks]\ntest-all = \"python -V\"\n",
	"lib/pixi.toml":           "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.host-dependencies]\nhatchling = \"*\"\n",
	"lib/pyproject.toml":      "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
	"lib/src/lib/__init__.py": "",
}
