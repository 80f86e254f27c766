package changelog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/changelog"
)

func TestSplit(t *testing.T) {
	src := "# Changes\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-02\n\n### core\n\n- One (abc)\n\n## [0.1.0]\n\n- First\n"
	p, there := changelog.Split([]byte(src), func(title string) bool { return strings.Contains(title, "0.2.0") })
	require.True(t, there)
	require.Equal(t, src, p.Before+p.Heading+p.Text+p.After)
	require.Equal(t, "## [0.2.0] - 2026-01-02", p.Heading)
	require.Equal(t, "\n\n### core\n\n- One (abc)\n\n", p.Text)
	title, line := changelog.First([]byte(src))
	require.Equal(t, "[0.2.0] - 2026-01-02", title)
	require.Equal(t, 5, line)
	p, there = changelog.Split([]byte(src), func(string) bool { return false })
	require.False(t, there)
	require.Equal(t, src, p.Before)
}

// When a section is regenerated, the user's additions and removals are preserved.
func TestFollow(t *testing.T) {
	const first = "\n\n### core\n\n- One (a1)\n- Two (b2)\n\n### ui\n\n- Page (c3)\n"
	for _, c := range []struct {
		name, theirs, anew, want string
	}{
		{"nobody wrote anything, and nothing is new", first, first, first},
		{"something is new", first, "\n\n### core\n\n- One (a1)\n- Two (b2)\n- Three (d4)\n\n### ui\n\n- Page (c3)\n", "\n\n### core\n\n- One (a1)\n- Two (b2)\n- Three (d4)\n\n### ui\n\n- Page (c3)\n"},
		{
			name:   "people wrote an introduction, reworded a line, took one out, and another comes",
			theirs: "\n\nA great release.\n\n### core\n\n- The first of them (a1)\n\n### ui\n\n- Page (c3)\n",
			anew:   "\n\n### core\n\n- One (a1)\n- Two (b2)\n- Three (d4)\n\n### ui\n\n- Page (c3)\n",
			want:   "\n\nA great release.\n\n### core\n\n- The first of them (a1)\n- Three (d4)\n\n### ui\n\n- Page (c3)\n",
		},
		{"a commit was reverted", "\n\n### core\n\n- One (a1)\n- Two (b2)\n\nMore of it.\n\n### ui\n\n- Page (c3)\n", "\n\n### core\n\n- One (a1)\n", "\n\n### core\n\n- One (a1)\n\nMore of it.\n"},
		{"a group is new", "\n\n### ui\n\n- Page (c3)\n", "\n\n### core\n\n- One (a1)\n\n### ui\n\n- Page (c3)\n\n### app\n\n- App (e5)\n", "\n\n### ui\n\n- Page (c3)\n\n### app\n\n- App (e5)\n"},
		{"a version in a heading is another", first, "\n\n### core 2.0\n\n- One (a1)\n- Two (b2)\n\n### ui\n\n- Page (c3)\n", "\n\n### core 2.0\n\n- One (a1)\n- Two (b2)\n\n### ui\n\n- Page (c3)\n"},
		{
			name:   "people wrote code, and the number of an issue, at the beginning of a line",
			theirs: "\n\nAs asked in\n#12 and\n```sh\n# core\npip install x\n```\n<!--\n### later\n-->\n\n### core\n\n- One (a1)\n",
			anew:   "\n\n### core\n\n- One (a1)\n- Three (d4)\n",
			want:   "\n\nAs asked in\n#12 and\n```sh\n# core\npip install x\n```\n<!--\n### later\n-->\n\n### core\n\n- One (a1)\n- Three (d4)\n",
		},
		{"lines end as they do on Windows", strings.ReplaceAll(first, "\n", "\r\n"), strings.ReplaceAll(first, "\n", "\r\n"), strings.ReplaceAll(first, "\n", "\r\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := changelog.Follow(changelog.Digests(first), c.theirs, c.anew)
			require.Equal(t, c.want, got)
			require.Equal(t, got, changelog.Follow(changelog.Digests(c.anew), got, c.anew), "a second call changes nothing")
		})
	}
}
