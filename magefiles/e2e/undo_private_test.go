package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Files on a private channel count, even though they are not visible without a credential. Their release cannot be undone, their version is not
// released twice, and they are listed.
func TestFilesOnAPrivateChannelCount(t *testing.T) {
	t.Parallel()
	const key = "pfx_the_key_of_a_private_channel"
	tried := filepath.Join(t.TempDir(), "tried") // the package can be imported before it is published, but not afterwards
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
	require.Contains(t, r.refused(1, "there is no channel at", "app:upgrade", "-yes"), "no public channel has this address; set PREFIX_API_KEY to read a private channel")
	require.Contains(t, r.ok("channel:show"), "If the channel is private, set PREFIX_API_KEY to a key that can read the channel")
	require.Contains(t, r.refused(1, "has no mono-core 0.1.7", "publish", "-verify"), "if the channel is private, set PREFIX_API_KEY to a key that can read the channel")
	require.Contains(t, r.refused(3, "the channel is not visible without a credential", "undo", "-yes"), "PREFIX_API_KEY")
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)

	// Undo is also refused if the release was killed during the upload.
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
	require.Contains(t, r.refused(3, "the channel is not visible without a credential", "undo", "-yes"), "was begun")

	// If the upload has not started, the release may be undone, and the output says how this is known.
	write(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()), before)
	said := r.refused(3, "there is no terminal to ask at", "undo")
	require.Contains(t, said, "none of its packages was uploaded, according to this clone and the CI (the packages on "+url+"/mono are not visible from here: ")
	require.NotContains(t, said, "none of its packages is on")
	write(t, filepath.Dir(r.journalFile()), filepath.Base(r.journalFile()), journal)
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)

	r.env = command.Setenv(without, "PREFIX_API_KEY="+key)
	require.Contains(t, r.ok("channel:show"), "mono-core-0.1.7-")
	require.Contains(t, r.ok("app:upgrade", "-yes"), "0.1.7")
	git(t, r.dir, "checkout", "-q", "--", "app")
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 cannot be undone: "+url+"/mono has")
	_, tags = r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)
}

// A clone without the journal learns of a release only from the remote and the channel. If the channel is private and this clone has no credential
// for it, the targets say so. They report nothing as unfinished or missing, and undo nothing.
func TestPrivateChannelFromAnotherClone(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"here", "ci"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: by, private: byVariable})
			key := r.env
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "The channel is private: whoever installs from the channel must be a member, and must run `pixi auth login 127.0.0.1` once")
			r.dir = r.newClone()
			for name, c := range map[string]struct {
				env                  []string
				says, shown, upgrade string
			}{
				"none":  {command.Unset(key, "PREFIX_API_KEY"), "no PREFIX_API_KEY", "If the channel is private, set PREFIX_API_KEY to a key that can read the channel", "no public channel has this address; set PREFIX_API_KEY to read a private channel"},
				"wrong": {command.Setenv(key, "PREFIX_API_KEY=pfx_of_somebody_else"), "does not know the token of the API key", "does not know the token of the API key", "does not know the token of the API key in PREFIX_API_KEY"},
			} {
				t.Run(name, func(t *testing.T) {
					r.env = c.env
					may := map[string]string{"here": "another clone", "ci": "the CI run "}[by]
					require.Contains(t, r.refused(3, "may have uploaded v0.1.7 to ", "undo", "-yes"), may)
					require.Contains(t, r.ok("status"), "v0.1.7 is tagged on the remote, but it is not known whether the release is complete: the channel is not visible without a credential")
					require.Contains(t, r.ok("status", "-json"), `"unseen": "`)
					require.Contains(t, r.refused(3, "it is not known whether the release is complete", "release", "-to=minor", "-yes"), c.says)
					shown := r.ok("channel:show")
					require.Contains(t, shown, c.shown)
					require.NotContains(t, shown, "(public)")
					require.Contains(t, r.ok("doctor"), c.shown)
					require.Contains(t, r.refused(1, "there is no channel at", "app:upgrade", "-yes"), c.upgrade)
					require.Contains(t, r.refused(1, c.says, "publish", "-yes"), "the channel may be private")
					_, tags := r.remote()
					require.Equal(t, []string{"v0.1.7"}, tags)
				})
			}
			r.env = key
			said := r.ok("status")
			require.Contains(t, said, "v0.1.7: released, according to its tags and the channel; this clone has no journal of the release")
			require.NotContains(t, said, "not done")
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
		})
	}
}
