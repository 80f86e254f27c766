package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// nameless clones a workspace that has no name into a folder with the given name.
func nameless(t *testing.T, folder string) *releasing {
	files := configured("")
	files["pixi.toml"] = strings.Replace(files["pixi.toml"], "name = \"mono\"\n", "", 1)
	r := newReleasing(t, releaseOptions{by: "here", files: files})
	dir := filepath.Join(t.TempDir(), folder)
	git(t, r.dir, "clone", "-q", r.world.Remote, dir)
	git(t, dir, "config", "user.name", "a tester")
	git(t, dir, "config", "user.email", "tester@example.invalid")
	r.dir = dir
	return r
}

// TestNamelessWorkspaceNeedsAChannel has a workspace whose name defaults to its folder's name. That name must not select a real channel. The error
// says so, together with all other obstacles, before anything is built.
func TestNamelessWorkspaceNeedsAChannel(t *testing.T) {
	t.Parallel()
	const says, next = "no setting names the channel for its packages", "write `channel = \"NAME\"` into [tool.release] of pixi.toml, or set PREFIX_CHANNEL"
	r := nameless(t, "src")
	r.env = command.Unset(r.env, "PREFIX_SERVER_URL")
	out := r.refused(1, "the workspace src has no name in pixi.toml, and "+says, "release", "-to=patch", "-yes")
	require.Contains(t, out, next)
	require.NotContains(t, out, "✓")
	out = r.refused(1, says, "publish", "-yes")
	require.Contains(t, out, next)
	require.NotContains(t, out, "✓")
	write(t, r.dir, "stray.txt", "x")
	out = r.refused(1, "2 problems prevent the release", "release", "-to=patch", "-yes")
	require.Contains(t, out, says)
	require.Contains(t, out, "the work tree has changes: stray.txt")
	out = r.ok("channel:show")
	require.Contains(t, out, says)
	require.Contains(t, out, "0.1.6 (not on the channel)")
	require.Contains(t, r.ok("channel:show", "-json"), `"channel": ""`)
	out, _ = r.mage("doctor")
	require.Contains(t, out, "src with 3 packages")
	require.Contains(t, out, next)
	require.NotContains(t, out, "PREFIX_SERVER_URL")
	require.NotContains(t, r.ok("version:show"), "PREFIX_")
	require.Contains(t, r.ok("graph"), "mono-core")
	require.Contains(t, r.ok("status"), "no release was begun in this clone")

	// Another user's channel that happens to have this name is never queried.
	r.env = command.Setenv(r.env, "PREFIX_SERVER_URL=https://prefix.example.invalid")
	require.Contains(t, r.refused(1, says, "publish", "-yes"), next)
}

// TestNamelessWorkspaceWithAChannel publishes a nameless workspace to a local server, or to a channel that the user specifies.
func TestNamelessWorkspaceWithAChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, folder string
		says         func(r *releasing)
		channel      string
	}{
		{"a server of this machine", "Acme Project", func(*releasing) {}, "acme-project"},
		{"PREFIX_CHANNEL", "src", func(r *releasing) { r.env = command.Setenv(r.env, "PREFIX_CHANNEL=ours") }, "ours"},
		{
			name:   "a channel that is configured",
			folder: "src",
			says: func(r *releasing) {
				in("pixi.toml", `publish = "here"`, "publish = \"here\"\nchannel = \"theirs\"")(r.t, r.dir)
				r.commitAll("chore: say it")
			},
			channel: "theirs",
		},
		{
			name:   "a linked worktree",
			folder: "acme",
			says: func(r *releasing) {
				git(r.t, r.dir, "switch", "-q", "-c", "parked")
				git(r.t, r.dir, "worktree", "add", "-q", "../other", "main")
				r.dir = filepath.Join(filepath.Dir(r.dir), "other")
			},
			channel: "acme",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := nameless(t, c.folder)
			c.says(r)
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
			out := r.ok("channel:show", "-json")
			require.Contains(t, out, r.world.Prefix.URL+"/"+c.channel+`"`)
			require.Contains(t, out, `"there": true`)
			require.Contains(t, r.ok("status"), "v0.1.7: released")
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released: ")
		})
	}
}

// TestNamelessRehearsal publishes from clones in differently named folders, on this machine and in the CI.
func TestNamelessRehearsal(t *testing.T) {
	t.Parallel()
	r := nameless(t, "Größe 2")
	in("pixi.toml", "publish = \"here\"\n", "")(t, r.dir)
	r.commitAll("chore: let CI publish")
	out := r.ok("rehearse")
	require.Contains(t, out, "/gr-e-2, sent by CI")
	require.Contains(t, out, "Größe 2 v0.1.7 was rehearsed")
	require.Contains(t, out, "your channel: neither PREFIX_CHANNEL nor a manifest names the channel")
}

// A channel name that is derived from a workspace name is valid.
func TestDerivedChannelNameIsValid(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"acme", "Acme Project", "..x..", "t", "日本", "a/b", strings.Repeat("y", 300), "-"} {
		w := &workspace.Workspace{Manifest: &manifest.Manifest{Name: folder}}
		require.NoError(t, channel.CheckName(w.EmbeddedChannel()), folder)
	}
}
