package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A CI run waits for a reviewer. The release prints the names of the reviewers and continues after their approval.
func TestReleaseWaitsForItsReviewer(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{reviewers: []string{"octocat", "team releases"}})
	x, _ := r.start("release", "-to=patch", "-yes")
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	x.Stdout, x.Stderr = log, log
	require.NoError(t, x.Start())
	said := func() string {
		text, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		return string(text)
	}
	waitFor(t, "the release to say who has to approve", func() bool {
		return strings.Contains(said(), "octocat or team releases must approve the environment release")
	})
	require.Empty(t, r.onChannel(), "nothing is sent before it is approved")
	r.world.Approved <- struct{}{}
	require.NoError(t, x.Wait(), said())
	r.released("0.1.7")
}

// TestHostileCodeInTheJobs has package code (its build hook and modules) in CI jobs request an ID token. The code tries everything in its environment
// and in the environment of every process that it can read. It finds no credential for a token, and exactly the built files are published.
func TestHostileCodeInTheJobs(t *testing.T) {
	t.Parallel()
	seen := t.TempDir()
	attack := fmt.Sprintf(`import glob, os, urllib.request
found = [dict(os.environ)]
for file in glob.glob("/proc/[0-9]*/environ"):
    try:
        found.append(dict(kv.split("=", 1) for kv in open(file, errors="replace").read().split("\0") if "=" in kv))
    except OSError:
        pass
said = []
for env in found:
    if "ACTIONS_ID_TOKEN_REQUEST_URL" not in env or env.get("PREFIX_SERVER_URL") != os.environ.get("PREFIX_SERVER_URL"):
        continue
    request = urllib.request.Request(env["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=127.0.0.1", headers={"Authorization": "Bearer " + env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")})
    try:
        said.append(urllib.request.urlopen(request, timeout=5).read().decode())
    except OSError as e:
        said.append("refused")
open(os.path.join(%q, __name__.replace(".", "-") + str(os.getpid())), "w").write(repr(said) + ("in a job" if os.environ.get("GITHUB_RUN_ID") else ""))
`, seen)
	r := newReleasing(t, releaseOptions{
		real: true,
		files: map[string]string{
			"packages/core/src/mono_core/__init__.py": "__version__ = \"0.1.6\"\n" + attack,
			"packages/core/hooks.py":                  "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n" + attack + "class H(BuildHookInterface):\n    pass\n",
		},
	})
	r.commit("test: a build hook", map[string]string{
		"packages/core/pyproject.toml": readFile(t, r.dir, "packages/core/pyproject.toml") + "[tool.hatch.build.hooks.custom]\npath = \"hooks.py\"\n",
	})
	git(t, r.dir, "push", "-q", "origin", "main")
	r.ok("release", "-to=patch", "-yes")
	ran, inJobs := 0, 0
	files, err := os.ReadDir(seen)
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(seen, f.Name()))
		require.NoError(t, err)
		require.NotContains(t, string(text), "value", "%s has got an ID token", f.Name())
		switch module := strings.HasPrefix(f.Name(), "mono_core"); {
		case !module:
			ran++
		case strings.HasSuffix(string(text), "in a job"):
			inJobs++
		}
	}
	require.GreaterOrEqual(t, inJobs, 2, "the package is imported in two jobs")
	require.GreaterOrEqual(t, ran, 2, "the hook runs in the build here, and in the job that builds")
}
