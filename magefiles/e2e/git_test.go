package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestGitRefuses breaks the repository in the ways in which git refuses one: what builds, publishes, plans an image or
// changes versions stops with git's words, and nothing is written or uploaded. It is not taken for a folder outside of git.
func TestGitRefuses(t *testing.T) {
	r := newReleasing(t, releaseOptions{by: "here", files: map[string]string{"app/Dockerfile": "FROM base.example/x:1\n"}})
	env := r.env
	write(t, r.dir, "packages/core/src/mono_core/__init__.py", "__version__ = \"0.1.6\"  # not committed\n")
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		set    []string
		says   string
	}{
		"another user":           {set: []string{"GIT_TEST_ASSUME_DIFFERENT_OWNER=1"}, says: "git config --global --add safe.directory"},
		"a broken configuration": {damage: func(t *testing.T, dir string) { write(t, dir, ".git/config", "[core\n") }, says: "bad config line 1"},
		"an unknown format":      {damage: func(t *testing.T, dir string) { git(t, dir, "config", "core.repositoryFormatVersion", "99") }, says: "Expected git repo version"},
		"an empty .git":          {damage: func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, ".git", "HEAD"))) }, says: "git refuses the repository of"},
		"a commit that is gone": {damage: func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "objects", "pack")))
			require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "objects")))
			require.NoError(t, os.Mkdir(filepath.Join(dir, ".git", "objects"), 0o755))
		}, says: "fatal: "},
		"an index that is broken": {damage: func(t *testing.T, dir string) { write(t, dir, ".git/index", "noise") }, says: "index file smaller than expected"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := *r
			broken.t, broken.dir, broken.env = t, filepath.Join(t.TempDir(), "clone"), command.Setenv(env, c.set...)
			require.NoError(t, os.CopyFS(broken.dir, os.DirFS(r.dir)))
			if c.damage != nil {
				c.damage(t, broken.dir)
			}
			before := read(t, broken.dir, "packages/core/pixi.toml")
			for _, args := range [][]string{{"publish", "-yes"}, {"build:package", "mono-core"}, {"version:bump", "-to=patch", "-yes"}, {"version:bump", "-to=patch", "-commit", "-yes"}, {"docker:plan", "app"}, {"release", "-to=patch", "-yes"}} {
				if name == "an index that is broken" && (args[0] == "build:package" || len(args) == 3 && args[0] == "version:bump") {
					continue // a build takes its date from the commit alone
				}
				out := broken.refused(1, c.says, args...)
				require.NotContains(t, out, "1980", "%v", args)
				require.Contains(t, out, "\n→ ", "%v", args)
			}
			require.Equal(t, before, read(t, broken.dir, "packages/core/pixi.toml"))
			require.Empty(t, broken.onChannel())
		})
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}
