package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatChecksLeaveBehind has the checks format a file, make one, and make some that git ignores: what is built is what is
// committed.
func TestWhatChecksLeaveBehind(t *testing.T) {
	r := newReleasing(t, releaseOptions{by: "here", real: true})
	manifest := strings.Replace(readFile(t, r.dir, "pixi.toml"), `qa = "`, `qa = "sh checks.sh && `, 1)
	r.commit("test: checks that write", map[string]string{
		"pixi.toml": manifest, ".gitignore": "/output/\n/.pixi/\nbuild/\n",
		"checks.sh": `cd packages/core
echo "FORMATTED = 1" >> src/mono_core/__init__.py
echo "MADE = 1" > src/mono_core/made.py
mkdir -p src/mono_core/build && echo "IGNORED = 1" > src/mono_core/build/__init__.py
`,
	})
	git(t, r.dir, "push", "-q", "origin", "main")
	committed := readFile(t, r.dir, "packages/core/src/mono_core/__init__.py")
	r.ok("release", "-to=patch", "-yes")
	for _, name := range r.packed("mono-core-0.1.7") {
		require.NotContains(t, name, "made.py")
		require.NotContains(t, name, "build/")
	}
	clone := filepath.Join(r.dir, "output", "release", "clone")
	require.Equal(t, strings.Replace(committed, "0.1.6", "0.1.7", 1), readFile(t, clone, "packages/core/src/mono_core/__init__.py"))
	require.Empty(t, git(t, clone, "status", "--porcelain"))
}

// TestFoldersThatPeopleHave works beside files that are committed in the folders in which we write: they stay as they are.
func TestFoldersThatPeopleHave(t *testing.T) {
	const keep = "*\n!.gitignore\n!*.csv\n"
	r := newReleasing(t, releaseOptions{by: "here"})
	r.commit("docs: results", map[string]string{".gitignore": "/.pixi/\n", "output/.gitignore": keep, "output/results.csv": "1\n"})
	write(t, r.dir, "output/release/.gitignore", keep)
	write(t, r.dir, "output/release/results.csv", "1\n")
	git(t, r.dir, "add", "--force", "output")
	git(t, r.dir, "commit", "-q", "-m", "docs: more results")
	git(t, r.dir, "push", "-q", "origin", "main")
	for _, args := range [][]string{{"build:all"}, {"publish", "-yes"}, {"release", "-to=minor", "-yes"}, {"rehearse"}} {
		r.ok(args...)
		require.Empty(t, git(t, r.dir, "status", "--porcelain"), "%v", args)
	}

	write(t, r.newHome(), "output/rehearsal/notes/week.txt", "precious\n")
	require.Contains(t, r.refused(1, "notes is in ", "rehearse"), "no rehearsal has put it there")
	require.Equal(t, "precious\n", readFile(t, r.dir, "output/rehearsal/notes/week.txt"))
}

// newHome goes on in another clone.
func (r *releasing) newHome() string {
	r.dir = r.newClone()
	return r.dir
}
