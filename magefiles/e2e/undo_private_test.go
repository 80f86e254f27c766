package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// What is on a private channel is there, though nobody sees it without a credential: a release of it is not undone, a version of it is not
// released twice, and it is shown.
func TestPrivateChannelIsSeen(t *testing.T) {
	t.Parallel()
	const key = "pfx_the_key_of_a_private_channel"
	tried := filepath.Join(t.TempDir(), "tried") // it can be imported before it is published, and not afterwards
	r := newReleasing(t, releaseOptions{
		by:   "here",
		real: true,
		files: map[string]string{
			"packages/core/src/mono_core/__init__.py": fmt.Sprintf("import os\nif os.path.exists(%q):\n    raise RuntimeError('not today')\nopen(%q, 'w').close()\n", tried, tried),
		},
	})
	url, _ := startServer(t, r.dir, t.TempDir(), key, "-private=mono")
	without := command.Setenv(command.Unset(r.env, "PREFIX_API_KEY"), "PREFIX_SERVER_URL="+url)
	r.env = command.Setenv(without, "PREFIX_API_KEY="+key)
	r.refused(1, "not today", "release", "-to=patch", "-yes")
	_, tags := r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)

	r.env = without
	require.Contains(t, r.refused(1, "there is no channel at", "app:upgrade", "-yes"), "a private channel is asked with the key in PREFIX_API_KEY")
	require.Contains(t, r.ok("channel:show"), "Where it is private, set a key that reads it")
	require.Contains(t, r.refused(1, "has no mono-core 0.1.7", "publish", "-verify"), "where the channel is private, set a key that reads it")
	require.Contains(t, r.refused(3, "is not there for anyone now", "undo", "-yes"), "PREFIX_API_KEY")
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)

	// Neither when it was killed in the middle of the upload.
	journal := readFile(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()))
	var begun strings.Builder
	before := ""
	for line := range strings.Lines(journal) {
		before = begun.String()
		begun.WriteString(line)
		if strings.Contains(line, `"step":"publish"`) {
			break
		}
	}
	require.Less(t, begun.Len(), len(journal))
	write(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()), begun.String())
	require.Contains(t, r.refused(3, "is not there for anyone now", "undo", "-yes"), "was begun")

	// Where the upload was not begun it may be taken back, and it is said by what this is known.
	write(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()), before)
	said := r.refused(3, "there is no terminal to ask at", "undo")
	require.Contains(t, said, "nothing of it was sent yet, as far as this clone and the CI know (what "+url+"/mono has, nobody sees here: ")
	require.NotContains(t, said, "nothing of it is on")
	write(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()), journal)
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)

	r.env = command.Setenv(without, "PREFIX_API_KEY="+key)
	require.Contains(t, r.ok("channel:show"), "mono-core-0.1.7-")
	require.Contains(t, r.ok("app:upgrade", "-yes"), "0.1.7")
	git(t, r.dir, "checkout", "-q", "--", "app")
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 cannot be taken back: "+url+"/mono has")
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)
}

// A clone without the journal knows of a release what the world says. Where that is a private channel, and this clone has nothing that
// is let in, it says so, and calls nothing unfinished, absent, or free to be taken back.
func TestPrivateChannelFromAnotherClone(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"here", "ci"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: by, private: byVariable})
			key := r.env
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "The channel is private: who installs from it is a member of it, and runs `pixi auth login 127.0.0.1` once")
			r.dir = r.newClone()
			for name, c := range map[string]struct {
				env                  []string
				says, shown, upgrade string
			}{
				"none":  {command.Unset(key, "PREFIX_API_KEY"), "no PREFIX_API_KEY", "Where it is private, set a key that reads it", "a private channel is asked with the key in PREFIX_API_KEY"},
				"wrong": {command.Setenv(key, "PREFIX_API_KEY=pfx_of_somebody_else"), "does not know the token of the API key", "does not know the token of the API key", "does not know the token of the API key in PREFIX_API_KEY"},
			} {
				t.Run(name, func(t *testing.T) {
					r.env = c.env
					may := map[string]string{"here": "another clone", "ci": "the CI run "}[by]
					require.Contains(t, r.refused(3, "may have uploaded v0.1.7 to ", "undo", "-yes"), may)
					require.Contains(t, r.ok("status"), "v0.1.7 is tagged on the remote, and whether it is complete cannot be told: the channel is not there for anyone")
					require.Contains(t, r.ok("status", "-json"), `"unseen": "`)
					require.Contains(t, r.refused(3, "whether it is released cannot be told", "release", "-to=minor", "-yes"), c.says)
					shown := r.ok("channel:show")
					require.Contains(t, shown, c.shown)
					require.NotContains(t, shown, "(public)")
					require.Contains(t, r.ok("doctor"), c.shown)
					require.Contains(t, r.refused(1, "there is no channel at", "app:upgrade", "-yes"), c.upgrade)
					require.Contains(t, r.refused(1, c.says, "publish", "-yes"), "it may be private")
					_, tags := r.remote()
					require.Equal(t, []string{"v0.1.7"}, tags)
				})
			}
			r.env = key
			said := r.ok("status")
			require.Contains(t, said, "v0.1.7: released, by what its tags and the channel say; this clone has no journal of it")
			require.NotContains(t, said, "not done")
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
		})
	}
}
