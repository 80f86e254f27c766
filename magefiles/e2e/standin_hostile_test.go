package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// TestHostileStandIn tries to publish the artifacts of a rehearsal in every possible way, including a stand-in for a package that could not be built.
// No artifact reaches the channel.
func TestHostileStandIn(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{
		by:   "here",
		real: true,
		files: map[string]string{
			"packages/core/pyproject.toml": "[project]\nname = \"mono-core\"\nversion = \"0.1.6\"\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.nothing\"\n",
			"packages/core/pixi.toml":      strings.Replace(monorepotest.Files(3, "0.1.6")["packages/core/pixi.toml"], "config = { noarch = true }\n", "", 1), // so that every noarch artifact is accepted
		},
	})
	then := r.base
	r.commit("fix: build", map[string]string{"packages/core/pyproject.toml": strings.Replace(readFile(t, r.dir, "packages/core/pyproject.toml"), "hatchling.nothing", "hatchling.build", 1)})
	git(t, r.dir, "push", "-q", "origin", "main")

	x, _ := r.start("rehearse", "-keep")
	var said bytes.Buffer
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	x.Stdout, x.Stderr = log, log
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_ = x.Wait()
	})
	waitFor(t, "the rehearsal", func() bool {
		text, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		said.Reset()
		said.Write(text)
		return strings.Contains(said.String(), "The world is running") || strings.Contains(said.String(), "Error:")
	})
	require.Contains(t, said.String(), "replaces it")
	rehearsal := filepath.Join(r.dir, "output", "rehearsal")
	kept := filepath.Join(rehearsal, "world", "channels", "mono", "noarch")

	// elsewhere makes a folder that contains only the given files, and returns digests that list them.
	elsewhere := func(commit, run string, files ...string) (dir, line string) {
		dir = t.TempDir()
		d := publish.Digests{Run: run, Commit: commit, Reproducible: true}
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o644))
			rec, err := condapkg.Identify(file)
			require.NoError(t, err)
			d.Files = append(d.Files, publish.Digest{Package: rec.Name, File: rec.FileName(), SHA256: rec.SHA256, Size: rec.Size, Tools: "embedded"})
		}
		require.NoError(t, d.WriteTo(dir))
		line, err := d.Line()
		require.NoError(t, err)
		return dir, line
	}
	glob := func(pattern string) []string {
		found, err := filepath.Glob(filepath.Join(kept, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		return found
	}
	try := func(commit string, files []string, env ...string) {
		for _, way := range []string{"from", "from where they lie", "digests", "a run of the CI", "output"} {
			dir, line := elsewhere(commit, "", files...)
			args, with := []string{"publish", "-yes"}, r.env
			switch way {
			case "output":
				for _, f := range files {
					data, err := os.ReadFile(f)
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(filepath.Join(r.dir, "output", filepath.Base(f)), data, 0o644))
				}
				args = []string{"publish"} // publish asks before it uploads, and would build missing artifacts
			case "from":
				args = append(args, "-from="+dir)
			case "from where they lie":
				args = append(args, "-from="+kept)
			case "digests":
				args = append(args, "-from="+dir, "-digests="+line)
			case "a run of the CI":
				if len(env) == 0 {
					continue // in that run the digests are the record, and the built files are not stand-ins
				}
				dir, line = elsewhere(commit, "7", files...)
				args, r.env = append(args, "-from="+dir, "-digests="+line), command.Setenv(r.env, env...)
			}
			said, status := r.mage(args...)
			r.env = with
			require.NotZero(t, status, "%s: %s", way, said)
			for _, f := range files {
				require.NotContains(t, said, filepath.Base(f)+"  sha256", way)
			}
			require.Empty(t, r.onChannel(), "%s: %s", way, said)
			for _, f := range files {
				_ = os.Remove(filepath.Join(r.dir, "output", filepath.Base(f)))
			}
		}
	}

	ours := git(t, r.dir, "rev-parse", "HEAD")
	git(t, r.dir, "switch", "-q", "--detach", then)
	try(then, append(glob("*-0.1.6-standin_0.conda"), glob("*-0.1.6-pyh*.conda")...), "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=7")
	git(t, r.dir, "switch", "-q", "main")
	r.ok("version:bump", "-to=patch", "-commit", "-yes")
	try(git(t, r.dir, "rev-parse", "HEAD"), glob("*-0.1.7-pyh*.conda"))
	git(t, r.dir, "reset", "-q", "--hard", ours)

	// The clone of a rehearsal has its own records, and commits that no other clone has.
	mine, env := r.dir, r.env
	r.dir = filepath.Join(rehearsal, "clone")
	for _, args := range [][]string{{"publish", "-yes"}, {"publish", "-yes", "-from=output"}, {"release", "-to=patch", "-yes"}} {
		said, status := r.mage(args...)
		require.NotZero(t, status, said)
		require.Contains(t, said, "this clone belongs to a rehearsal", fmt.Sprint(args))
	}
	require.Empty(t, r.onChannel())
	r.dir, r.env = mine, env
}
