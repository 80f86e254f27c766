package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestReleaseAfterAChangeOfChannel changes the channel during an unfinished release. Nothing is published to a channel that nobody agreed to, and
// undo refuses because it cannot see what was uploaded.
func TestReleaseAfterAChangeOfChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *releasing) (back func())
	}{
		{
			name: "another channel in the environment",
			change: func(r *releasing) func() {
				before := r.env
				r.env = command.Setenv(before, "PREFIX_CHANNEL=elsewhere")
				return func() { r.env = before }
			},
		},
		{
			name: "another server",
			change: func(r *releasing) func() {
				other := newReleasing(r.t, releaseOptions{by: "here"})
				before := r.env
				r.env = command.Setenv(before, "PREFIX_SERVER_URL="+other.world.Prefix.URL, "PREFIX_API_KEY="+other.world.Prefix.Key)
				return func() {
					r.env = before
					require.Empty(r.t, other.onChannel())
				}
			},
		},
		{
			name: "another server, which does not answer",
			change: func(r *releasing) func() {
				before := r.env
				r.env = command.Setenv(before, "PREFIX_SERVER_URL=http://127.0.0.1:1")
				return func() { r.env = before }
			},
		},
		{
			name: "another channel in the manifest",
			change: func(r *releasing) func() {
				in("pixi.toml", `publish = "here"`, "publish = \"here\"\nchannel = \"elsewhere\"")(r.t, r.dir)
				r.commitAll("chore: another channel")
				return func() { git(r.t, r.dir, "reset", "-q", "--hard", "HEAD~1") }
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.refuseUploads("mono-p0001") // the release fails after the upload of mono-core
			_, status := r.mage("release", "-to=patch", "-yes")
			require.Equal(t, 1, status)
			r.refuseUploads("")
			back := c.change(r)
			r.refused(1, "the release of v0.1.7 was begun for the channel "+r.world.Prefix.URL+"/mono, but the channel is http", "release", "-yes")
			r.refused(1, "it is not known which packages were uploaded", "undo", "-yes")
			out := r.rehearsed()
			require.Contains(t, out, "mono v0.1.7 was rehearsed")
			require.NotContains(t, out, "published from here to "+r.world.Prefix.URL, "it goes to the embedded channel")
			back()
			require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
		})
	}
}

// TestContinuedReleaseKeepsItsFlags starts a release with -publish=here and continues it without the flag. The second run needs the same credential.
func TestContinuedReleaseKeepsItsFlags(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	r.refuseUploads("mono-p0001")
	out, status := r.mage("release", "-to=patch", "-publish=here", "-yes")
	require.Equal(t, 1, status)
	const preflight = `✓ preflight .*; the API key in PREFIX_API_KEY`
	require.Regexp(t, preflight, out)
	r.refuseUploads("")
	out = r.ok("release", "-yes")
	require.Contains(t, out, "v0.1.7 is released")
	require.Regexp(t, preflight, out)
}

// TestUndoNeedsNoChannel undoes a release that was not pushed, while the channel's server is unreachable.
func TestUndoNeedsNoChannel(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	write(t, r.dir, "fail-qa", "x")
	r.commitAll("test: what fails")
	git(t, r.dir, "push", "-q", "origin", "main")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	r.env = command.Setenv(r.env, "PREFIX_SERVER_URL=http://127.0.0.1:9")
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 was undone")
	require.Empty(t, git(t, r.dir, "log", "--oneline", "origin/main..main"))
}

// TestUndoOfAPublishedRelease queries a channel that has none of the release's files, in one case after another release was undone. The release
// was published to another channel, and is not mistaken for an unfinished one.
func TestUndoOfAPublishedRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(r *releasing)
	}{
		{"the last one", func(*releasing) {}},
		{
			name: "before one that was undone",
			before: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "exit 1")
				_, status := r.mage("release", "-to=minor", "-yes")
				require.Equal(r.t, 1, status)
				r.ok("undo", "-yes")
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "exit 0")
			},
		},
		{
			name: "with a commit on top",
			before: func(r *releasing) {
				git(r.t, r.dir, "commit", "-q", "--allow-empty", "-m", "feat: more")
				git(r.t, r.dir, "push", "-q", "origin", "main")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
			c.before(r)
			commits, tags := r.remote()
			r.env = command.Setenv(r.env, "PREFIX_CHANNEL=elsewhere")
			r.refused(1, "there is nothing to undo", "undo", "-yes")
			nowCommits, nowTags := r.remote()
			require.Equal(t, commits, nowCommits)
			require.Equal(t, tags, nowTags)
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
		})
	}
}
