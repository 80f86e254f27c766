package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestFilesThatChecksLeave runs checks that reformat a file, create a file, and create files that git ignores. The build uses only committed files.
func TestFilesThatChecksLeave(t *testing.T) {
	t.Parallel()
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
	require.Equal(t, strings.Replace(committed, "0.1.6", "0.1.7", 1), r.packedFile("mono-core-0.1.7", "site-packages/mono_core/__init__.py"))
}

// TestCommittedFilesInOutputFolders has committed files in the folders that the targets write to. These files must not change.
func TestCommittedFilesInOutputFolders(t *testing.T) {
	t.Parallel()
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
	require.Contains(t, r.refused(1, "notes is in ", "rehearse"), "is not a file of a rehearsal")
	require.Equal(t, "precious\n", readFile(t, r.dir, "output/rehearsal/notes/week.txt"))
}

// newHome switches to a new clone.
func (r *releasing) newHome() string {
	r.dir = r.newClone()
	return r.dir
}

// TestPublishAfterTheTag checks that publish refuses files that are not part of the version's tag.
func TestPublishAfterTheTag(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		tag   string // the tag that is moved to the published commit; "" moves none
		says  string
	}{
		"a module was changed":              {files: map[string]string{"packages/core/src/mono_core/more.py": "X = 1\n"}, says: "the tag v0.1.6 is at "},
		"the readme of another package":     {files: map[string]string{"packages/p0002/README.md": "x\n"}, says: "mono-p0002 was changed after this commit"},
		"a file that belongs to no package": {files: map[string]string{"docs/index.md": "x\n"}},
		"the tag never existed":             {files: map[string]string{"packages/core/src/mono_core/more.py": "X = 1\n"}, tag: "-d"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.commit("feat: more", c.files)
			if c.tag != "" {
				git(t, r.dir, "tag", c.tag, "v0.1.6")
			}
			if c.says == "" {
				r.ok("publish", "-yes")
				require.Len(t, r.onChannel(), 3)
				return
			}
			require.Contains(t, r.refused(1, c.says, "publish", "-yes"), "so the published package would differ from the tagged package; nothing was sent")
			require.Empty(t, r.onChannel())
		})
	}
}

// TestClockSetBack continues and undoes the last release even though the journal of an earlier release has a later timestamp.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.ok("release", "-to=patch", "-yes")
	dir := filepath.Join(r.dir, ".git", "pixi-release", "releases")
	found, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.NoError(t, os.Rename(found[0], filepath.Join(dir, "20991231T235959.999Z-v0.1.7.jsonl")))
	r.base = git(t, r.dir, "rev-parse", "HEAD")
	r.stopped("tag")
	require.Contains(t, r.ok("status"), "v0.1.8 is unfinished")
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.8 was undone")
	require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
	require.Contains(t, r.ok("release", "-to=minor", "-yes"), "v0.2.0 is released")
	require.Contains(t, r.ok("status"), "v0.2.0: released")
}

// TestRehearseIfGitForbidsLocalRemotes rehearses even though the user's git configuration or environment forbids local remotes.
func TestRehearseIfGitForbidsLocalRemotes(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "ci"})
	for _, set := range []string{
		"GIT_ALLOW_PROTOCOL=https:ssh", "GIT_CONFIG_PARAMETERS='protocol.allow'='never'", "GIT_CONFIG_PARAMETERS='protocol.file.allow'='never'",
	} {
		other := *r
		other.env = command.Setenv(r.env, set)
		require.Contains(t, other.ok("rehearse"), "✓ publish", set)
	}
}
