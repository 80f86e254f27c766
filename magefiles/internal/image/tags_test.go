package image_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Each case has a registry's tags, their images if relevant, a version, and the tags that move to the version's image.
func TestLadder(t *testing.T) {
	const revision = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		what, version, have string
		held                map[string]image.Held
		moves, stays        string
	}{
		{"the first release", "1.2.3", "", nil, "1.2.3 1.2 1 latest", ""},
		{"the first release beside other tags", "1.2.3", "main sha-00 edge", nil, "1.2.3 1.2 1 latest", ""},
		// Some tools keep the leading v of a git tag in tags and labels. These releases count like any other.
		{"a higher release with a v", "1.2.3", "main v9.9.9", nil, "1.2.3 1.2 1", "latest"},
		{"a higher release of the same major with a v", "1.2.3", "v1.4.0 v1.4", nil, "1.2.3 1.2", "1 latest"},
		{"a lower release with a v", "1.2.3", "v1.2.2 latest", map[string]image.Held{"latest": {Version: "v1.2.2", Order: image.Behind}}, "1.2.3 1.2 1 latest", ""},
		{"latest of a higher version with a v", "1.2.3", "latest", map[string]image.Held{"latest": {Version: "v9.9.9", Order: image.Behind}}, "1.2.3 1.2 1", "latest"},
		{
			what:    "the same version with a v, a later commit",
			version: "1.2.3",
			have:    "1.2.3 latest",
			held: map[string]image.Held{
				"1.2.3": {Version: "v1.2.3", Order: image.Ahead}, "latest": {Version: "v1.2.3", Order: image.Ahead},
			},
			moves: "1.2 1",
			stays: "1.2.3 latest",
		},
		{
			what:    "labels that are no version that can be compared",
			version: "1.2.3",
			have:    "1.2 1 latest",
			held: map[string]image.Held{
				"1.2": {Version: "2!1.0", Order: image.Behind}, "1": {Version: "2.0.0-1", Order: image.Behind}, "latest": {Version: "main", Order: image.Behind},
			},
			moves: "1.2.3",
			stays: "1.2 1 latest",
		},
		{
			what:    "the next patch",
			version: "1.2.4",
			have:    "1.2.3 1.2 1 latest",
			held: map[string]image.Held{
				"1.2": {Version: "1.2.3", Order: image.Behind}, "1": {Version: "1.2.3", Order: image.Behind}, "latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "1.2.4 1.2 1 latest",
			stays: "",
		},
		{
			what:    "a backport",
			version: "1.2.9",
			have:    "1.2.8 1.2 1.3.0 1.3 1 2.0.0 2.0 2 latest",
			held: map[string]image.Held{
				"1.2": {Version: "1.2.8", Order: image.Behind}, "1": {Version: "1.3.0", Order: image.Behind}, "latest": {Version: "2.0.0", Order: image.Behind},
			},
			moves: "1.2.9 1.2",
			stays: "1 latest",
		},
		{
			what:    "a backport to the newest of its major",
			version: "1.3.1",
			have:    "1.3.0 1.3 1 2.0.0 2.0 2 latest",
			held: map[string]image.Held{
				"1.3": {Version: "1.3.0", Order: image.Behind}, "1": {Version: "1.3.0", Order: image.Behind}, "latest": {Version: "2.0.0", Order: image.Behind},
			},
			moves: "1.3.1 1.3 1",
			stays: "latest",
		},
		{
			what:    "an old patch again",
			version: "1.2.3",
			have:    "1.2.3 1.2.4 1.2 1 latest",
			held: map[string]image.Held{
				"1.2.3": {Version: "1.2.3", Order: image.Behind}, "1.2": {Version: "1.2.4", Order: image.Behind}, "1": {Version: "1.2.4", Order: image.Behind}, "latest": {Version: "1.2.4", Order: image.Behind},
			},
			moves: "1.2.3",
			stays: "1.2 1 latest",
		},
		{
			what:    "ten is more than nine",
			version: "1.10.0",
			have:    "1.9.0 1.9 1 latest",
			held: map[string]image.Held{
				"1": {Version: "1.9.0", Order: image.Behind}, "latest": {Version: "1.9.0", Order: image.Behind},
			},
			moves: "1.10.0 1.10 1 latest",
			stays: "",
		},
		{"a pre-release", "2.0.0rc1", "1.2.3 1.2 1 latest", nil, "2.0.0rc1", ""},
		{"a first pre-release", "1.0.0.dev1", "", nil, "1.0.0.dev1", ""},
		{
			what:    "the release after its pre-releases",
			version: "2.0.0",
			have:    "1.2.3 1.2 1 2.0.0rc1 latest",
			held: map[string]image.Held{
				"latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "2.0.0 2.0 2 latest",
			stays: "",
		},
		{
			what:    "a release while a later pre-release is there",
			version: "1.2.4",
			have:    "1.2.3 1.2 1 2.0.0rc1 latest",
			held: map[string]image.Held{
				"1.2": {Version: "1.2.3", Order: image.Behind}, "1": {Version: "1.2.3", Order: image.Behind}, "latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "1.2.4 1.2 1 latest",
			stays: "",
		},
		{
			what:    "a post-release",
			version: "1.2.3.post1",
			have:    "1.2.3 1.2 1 latest",
			held: map[string]image.Held{
				"1.2": {Version: "1.2.3", Order: image.Behind}, "1": {Version: "1.2.3", Order: image.Behind}, "latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "1.2.3.post1 1.2 1 latest",
			stays: "",
		},
		{"the release that a post-release followed", "1.2.3", "1.2.3 1.2.3.post1 1.2 1 latest", nil, "1.2.3", "1.2 1 latest"},
		{
			what:    "the same version, a later commit",
			version: "1.2.3",
			have:    "1.2.3 1.2 1 latest",
			held: map[string]image.Held{
				"1.2.3": {Version: "1.2.3", Order: image.Behind}, "1.2": {Version: "1.2.3", Order: image.Behind}, "1": {Version: "1.2.3", Order: image.Behind}, "latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "1.2.3 1.2 1 latest",
			stays: "",
		},
		{
			what:    "the same version, an earlier commit",
			version: "1.2.3",
			have:    "1.2.3 1.2 1 latest",
			held: map[string]image.Held{
				"1.2.3": {Version: "1.2.3", Order: image.Ahead}, "1.2": {Version: "1.2.3", Order: image.Ahead}, "1": {Version: "1.2.3", Order: image.Ahead}, "latest": {Version: "1.2.3", Order: image.Ahead},
			},
			moves: "",
			stays: "1.2.3 1.2 1 latest",
		},
		{"latest of an image that says nothing", "1.2.3", "latest", map[string]image.Held{"latest": {}}, "1.2.3 1.2 1 latest", ""},
		{"latest of a higher version whose own tag was deleted", "1.2.3", "latest", map[string]image.Held{"latest": {Version: "3.0.0", Order: image.Behind}}, "1.2.3 1.2 1", "latest"},
		// A single number may be a date, a run number or a commit. It counts as a version only if other tags confirm it.
		{
			what:    "a date among releases",
			version: "1.2.4",
			have:    "1.2.3 1.2 1 20240501 8675309 latest",
			held: map[string]image.Held{
				"1.2": {Version: "1.2.3", Order: image.Behind}, "1": {Version: "1.2.3", Order: image.Behind}, "latest": {Version: "1.2.3", Order: image.Behind},
			},
			moves: "1.2.4 1.2 1 latest",
			stays: "",
		},
		{"a date alone", "1.2.4", "v20240501 20240501", nil, "1.2.4 1.2 1 latest", ""},
		{"a number that longer tags begin with", "1.2.4", "2.0.0 2 3 3.1 latest", nil, "1.2.4 1.2 1", "latest"},
		{"a number alone that latest stands for", "1.2.4", "2 latest", map[string]image.Held{"latest": {Version: "2", Order: image.Behind}}, "1.2.4 1.2 1", "latest"},
		{"a number alone where versions have one", "7", "8", nil, "7", "latest"},
		{"a number alone where versions have one, and a post-release", "7.post1", "8", nil, "7.post1", "latest"},
		{"only the short tags are left", "0.9.0", "1.2 1", nil, "0.9.0 0.9 0", "latest"},
		{
			what:    "two numbers",
			version: "2026.11",
			have:    "2026.10 2026 latest",
			held: map[string]image.Held{
				"2026": {Version: "2026.10", Order: image.Behind}, "latest": {Version: "2026.10", Order: image.Behind},
			},
			moves: "2026.11 2026 latest",
			stays: "",
		},
		// The tag of a two-number release is also a moving tag of its hotfixes.
		{
			what:    "a hotfix of a calendar release",
			version: "2026.11.1",
			have:    "2026.11 2026 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "2026.11", Order: image.Behind}, "2026": {Version: "2026.11", Order: image.Behind}, "latest": {Version: "2026.11", Order: image.Behind},
			},
			moves: "2026.11.1 2026 latest",
			stays: "2026.11",
		},
		{
			what:    "a hotfix of a calendar release whose label has a v",
			version: "2026.11.1",
			have:    "v2026.11 2026.11 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "v2026.11", Order: image.Behind}, "latest": {Version: "v2026.11", Order: image.Behind},
			},
			moves: "2026.11.1 2026 latest",
			stays: "2026.11",
		},
		{
			what:    "a second hotfix",
			version: "2026.11.2",
			have:    "2026.11 2026.11.1 2026 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "2026.11", Order: image.Behind}, "2026": {Version: "2026.11.1", Order: image.Behind}, "latest": {Version: "2026.11.1", Order: image.Behind},
			},
			moves: "2026.11.2 2026 latest",
			stays: "2026.11",
		},
		{
			what:    "a second hotfix where the release is not in this registry",
			version: "2026.11.2",
			have:    "2026.11.1 2026.11 2026 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "2026.11.1", Order: image.Behind}, "2026": {Version: "2026.11.1", Order: image.Behind}, "latest": {Version: "2026.11.1", Order: image.Behind},
			},
			moves: "2026.11.2 2026.11 2026 latest",
			stays: "",
		},
		{
			what:    "a calendar release again, after its hotfix took its tag",
			version: "2026.11",
			have:    "2026.11 2026.11.1 2026 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "2026.11.1", Order: image.Behind}, "2026": {Version: "2026.11.1", Order: image.Behind}, "latest": {Version: "2026.11.1", Order: image.Behind},
			},
			moves: "",
			stays: "2026.11 2026 latest",
		},
		{
			what:    "a calendar release, a later commit of it, before its hotfix",
			version: "2026.11",
			have:    "2026.11 2026 latest",
			held: map[string]image.Held{
				"2026.11": {Version: "2026.11", Order: image.Behind}, "2026": {Version: "2026.11", Order: image.Behind}, "latest": {Version: "2026.11", Order: image.Behind},
			},
			moves: "2026.11 2026 latest",
			stays: "",
		},
		{
			what:    "a calendar release and its post-release",
			version: "2026.11.post1",
			have:    "2026.11 2026 latest",
			held: map[string]image.Held{
				"2026": {Version: "2026.11", Order: image.Behind}, "latest": {Version: "2026.11", Order: image.Behind},
			},
			moves: "2026.11.post1 2026 latest",
			stays: "",
		},
		{
			what:    "a patch of a release of two numbers",
			version: "1.3.1",
			have:    "1.3 1 latest",
			held: map[string]image.Held{
				"1.3": {Version: "1.3", Order: image.Behind}, "1": {Version: "1.3", Order: image.Behind}, "latest": {Version: "1.3", Order: image.Behind},
			},
			moves: "1.3.1 1 latest",
			stays: "1.3",
		},
		{
			what:    "a patch of the same release of three numbers",
			version: "1.3.1",
			have:    "1.3.0 1.3 1 latest",
			held: map[string]image.Held{
				"1.3": {Version: "1.3.0", Order: image.Behind}, "1": {Version: "1.3.0", Order: image.Behind}, "latest": {Version: "1.3.0", Order: image.Behind},
			},
			moves: "1.3.1 1.3 1 latest",
			stays: "",
		},
		{
			what:    "a patch of a release of one number",
			version: "7.0.1",
			have:    "7 latest",
			held: map[string]image.Held{
				"7": {Version: "7", Order: image.Behind}, "latest": {Version: "7", Order: image.Behind},
			},
			moves: "7.0.1 7.0 latest",
			stays: "7",
		},
		{
			what:    "one version in two spellings",
			version: "1.3",
			have:    "1.3 1 latest",
			held: map[string]image.Held{
				"1.3": {Version: "1.3.0", Order: image.Behind}, "1": {Version: "1.3.0", Order: image.Behind}, "latest": {Version: "1.3.0", Order: image.Behind},
			},
			moves: "1.3 1 latest",
			stays: "",
		},
		{"its own tag on an image that says nothing", "1.2.3", "1.2.3", map[string]image.Held{"1.2.3": {}}, "1.2 1 latest", "1.2.3"},
		{"its own tag on an image of a branch", "1.2.3", "1.2.3", map[string]image.Held{"1.2.3": {Version: "main", Order: image.Behind}}, "1.2 1 latest", "1.2.3"},
		{"its own tag on another version", "1.2.3", "1.2.3", map[string]image.Held{"1.2.3": {Version: "1.2.2", Order: image.Behind}}, "1.2 1 latest", "1.2.3"},
		{"a pre-release's own tag on another version", "2.0.0rc1", "2.0.0rc1", map[string]image.Held{"2.0.0rc1": {Version: "1.9.0", Order: image.Behind}}, "", "2.0.0rc1"},
		{"one number", "7", "6 latest", map[string]image.Held{"latest": {Version: "6", Order: image.Behind}}, "7 latest", ""},
		{"four numbers", "1.2.3.4", "1.2.3.5 1.2 1 latest", nil, "1.2.3.4", "1.2 1 latest"},
		{"a day of the calendar beside versions", "1.2.4", "2026.11.28 2026.11 1.2.3 latest", map[string]image.Held{"latest": {Version: "1.2.3"}}, "1.2.4 1.2 1 latest", ""},
		{"Ubuntu's versions beside ours", "1.2.4", "24.04 v22.04 latest", nil, "1.2.4 1.2 1 latest", ""},
		{"a date without points and a number of the day", "1.2.4", "20261128.1 202611.2 latest", nil, "1.2.4 1.2 1 latest", ""},
		{"a calendar's versions beside a calendar's", "2026.11.1", "2026.12.0 24.04 2026 latest", nil, "2026.11.1 2026.11", "2026 latest"},
		{"a calendar's version that a plan gave latest to", "1.2.4", "2026.11 latest", map[string]image.Held{"latest": {Version: "2026.11"}}, "1.2.4 1.2 1", "latest"},
		{"a higher version that is no date", "1.2.4", "22.4.0 latest", nil, "1.2.4 1.2 1", "latest"},
		{"another major that begins alike", "1.2.3", "10.0.0 10.0 10 latest", map[string]image.Held{"latest": {Version: "10.0.0", Order: image.Behind}}, "1.2.3 1.2 1", "latest"},
	} {
		v := version.MustParse(c.version)
		var moves, stays []string
		for i, tag := range image.Ladder(v, revision, strings.Fields(c.have), c.held) {
			require.NotEmpty(t, tag.Why)
			switch {
			case i == 0:
				require.Equal(t, image.Tag{Name: "sha-0123456789ab", Moves: true, Why: "names the commit"}, tag)
			case tag.Moves:
				moves = append(moves, tag.Name)
			default:
				stays = append(stays, tag.Name)
			}
		}
		require.Equal(t, c.moves, strings.Join(moves, " "), c.what)
		require.Equal(t, c.stays, strings.Join(stays, " "), c.what)
	}
}

// Ladder explains why a tag does not move, and how to move it if only the user can decide.
func TestLadderGivesReasons(t *testing.T) {
	for _, c := range []struct {
		version, tag string
		held         image.Held
		why          string
	}{
		{"1.2.3", "latest", image.Held{Version: "main"}, "stays: it points to main, which cannot be compared with 1.2.3; -tag=latest moves it"},
		{"1.2.3", "latest", image.Held{Version: "v9.9.9"}, "stays: it points to v9.9.9; -tag=latest moves it"},
		{"1.2.3", "latest", image.Held{Version: "v1.2.2"}, "moves from v1.2.2"},
		{"1.2.3", "latest", image.Held{}, "moves from an image of an unknown version"},
		{"1.2.3", "1.2.3", image.Held{Version: "1.2.3", Order: image.Behind}, "moves to the later commit of the same version"},
		{"1.2.3", "1.2.3", image.Held{Version: "1.2.3", Revision: "fedcba9876543210", Order: image.Ahead}, "stays: it points to 1.2.3 of a later commit, fedcba987654; -tag=1.2.3 moves it"},
		{"1.2.3", "latest", image.Held{Version: "1.2.3", Revision: "fedcba9876543210", Order: image.Ahead}, "stays: it points to 1.2.3 of a later commit, fedcba987654; -tag=latest moves it"},
		{"1.2.3", "1.2", image.Held{Version: "1.2.3", Revision: "fedcba9876543210", Order: image.Apart}, "stays: it points to 1.2.3 of fedcba987654, and neither commit contains the other; -tag=1.2 moves it"},
		{"1.2.3", "latest", image.Held{Version: "1.2.3", Revision: "fedcba9876543210"}, "stays: it points to 1.2.3 of fedcba987654, which git cannot compare with our commit (run `git fetch` if this clone lacks the commit; it may also be of another repository); -tag=latest moves it"},
		{"1.2.3", "1", image.Held{Version: "1.2.3"}, "stays: it points to 1.2.3 of an unknown commit, which git cannot compare with our commit (run `git fetch` if this clone lacks the commit; it may also be of another repository); -tag=1 moves it"},
		{"1.2.3", "latest", image.Held{Version: "1.2.3", Revision: "fedcba9876543210", Order: image.Behind}, "moves from 1.2.3"},
		{"1.2.3", "latest", image.Held{Version: "1.2.2", Revision: "fedcba9876543210"}, "moves from 1.2.2"},
		{"1.2.3", "latest", image.Held{Version: "1.3.0", Revision: "fedcba9876543210", Order: image.Behind}, "stays: it points to 1.3.0; -tag=latest moves it"},
		{"1.2.3", "1.2.3", image.Held{}, "stays: the version of its image is unknown; -tag=1.2.3 moves it"},
		{"1.2.3", "1.2.3", image.Held{Version: "main"}, "stays: it points to main, not to 1.2.3; -tag=1.2.3 moves it"},
		{"1.2.3", "1.2.3", image.Held{Version: "1.2.3", Revision: "0123456789abcdef"}, "already points to this commit"},
		{"1.2.3", "latest", image.Held{Version: "1.2.3", Revision: "0123456789abcdef"}, "already points to this commit"},
		{"1.2.4", "latest", image.Held{Version: "1.2.3", Revision: "0123456789abcdef"}, "moves from 1.2.3"},
		{"2026.11", "2026.11", image.Held{Version: "2026.11.1"}, "stays: it points to 2026.11.1, not to 2026.11; -tag=2026.11 moves it"},
		{"2026.11.1", "2026.11", image.Held{Version: "2026.11"}, "stays: it is the tag of the release 2026.11; -tag=2026.11 moves it"},
	} {
		var why string
		for _, tag := range image.Ladder(version.MustParse(c.version), "0123456789abcdef", []string{c.tag}, map[string]image.Held{c.tag: c.held}) {
			if tag.Name == c.tag {
				why = tag.Why
			}
		}
		require.Equal(t, c.why, why)
	}
}
