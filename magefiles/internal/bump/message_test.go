package bump_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// TestMessages checks the value of {title} in lockstep, for one package of several, and for several packages.
func TestMessages(t *testing.T) {
	packages := func(names ...string) (archive string) {
		for _, name := range names {
			archive += pkg(name, "0.1.0", "")
		}
		return archive
	}
	const (
		together = "[tool.release]\n"
		apart    = "[tool.release]\nversioning = \"independent\"\n"
	)
	long := strings.Repeat("x", 40)
	for _, c := range []struct {
		name, config, archive, only string
		commit, tags                string
	}{
		{"lockstep", together, packages("a", "b"), "", "chore(release): v0.2.0\n", "v0.2.0\n"},
		{"one package of several", apart, packages("a", "b"), "b", "chore(release): b 0.2.0\n", "b/v0.2.0\n"},
		{"several packages", apart, packages("a", "b", "c"), "", "chore(release): a 0.2.0, b 0.2.0, c 0.2.0\n", "a/v0.2.0\nb/v0.2.0\nc/v0.2.0\n"},
		{
			name:    "many packages",
			config:  apart,
			archive: packages("a", "b", "c", "d"),
			only:    "",
			commit:  "chore(release): 4 packages\n\na 0.2.0\nb 0.2.0\nc 0.2.0\nd 0.2.0\n",
			tags:    "a/v0.2.0\nb/v0.2.0\nc/v0.2.0\nd/v0.2.0\n",
		},
		{
			name:    "few packages with long names",
			config:  apart,
			archive: packages("a"+long, "b"+long),
			only:    "",
			commit:  "chore(release): 2 packages\n\na" + long + " 0.2.0\nb" + long + " 0.2.0\n",
			tags:    "a" + long + "/v0.2.0\nb" + long + "/v0.2.0\n",
		},
		{"messages of one's own", together + "commit = \"build: {title} is out\"\ntag-message = \"Release {title}\"\n", packages("a"), "", "build: v0.2.0 is out\n", "Release v0.2.0\n"},
		{"without a placeholder", together + "commit = \"chore: release\"\ntag-message = \"a release\"\n", packages("a"), "", "chore: release\n", "a release\n"},
		{"with other braces", together + "commit = \"chore: ${{ x }} { {title}\"\n", packages("a"), "", "chore: ${{ x }} { v0.2.0\n", "v0.2.0\n"},
		{
			name:    "with a body",
			config:  together + "commit = \"\"\"\nchore: {title}\n\nSee {title}.\n\nSigned-off-by: A <a@example.invalid>\n\"\"\"\n",
			archive: packages("a"),
			only:    "",
			commit:  "chore: v0.2.0\n\nSee v0.2.0.\n\nSigned-off-by: A <a@example.invalid>\n",
			tags:    "v0.2.0\n",
		},
		{
			name:    "many packages, with a body",
			config:  apart + "commit = \"chore: {title}\\nSkip-CI: no\"\n",
			archive: packages("a", "b", "c", "d"),
			only:    "",
			commit:  "chore: 4 packages\n\na 0.2.0\nb 0.2.0\nc 0.2.0\nd 0.2.0\n\nSkip-CI: no\n",
			tags:    "a/v0.2.0\nb/v0.2.0\nc/v0.2.0\nd/v0.2.0\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan(t, tree(t, lockstep+c.config+c.archive), bump.Request{To: "minor", Only: c.only}, nil)
			require.Equal(t, c.commit, p.Message)
			tags := ""
			for _, tag := range p.Tags {
				tags += p.TagMessage(tag.Name)
			}
			require.Equal(t, c.tags, tags)
		})
	}
}

// The commit and the tags have exactly the configured messages.
func TestMessagesInGit(t *testing.T) {
	root, repo, git := repository(t, strings.Replace(two, "[dependencies]",
		"[tool.release]\ncommit = \"\"\"\nchore: {title}\n\n# no comment\n\"\"\"\ntag-message = \"all of {title}\"\n[dependencies]", 1))
	s := gitStore(repo)
	r, err := s.Take(t.Context(), plan(t, root, bump.Request{To: "patch"}, nil), repo, all)
	require.NoError(t, err)
	require.Equal(t, "chore: v0.1.7\n\n# no comment", git("log", "-1", "--format=%B", r.Commit))
	require.Equal(t, "all of v0.1.7", git("for-each-ref", "--format=%(contents)", "refs/tags/v0.1.7"))
}

// The commit of a release does not itself require a release.
func TestReleaseCommitRequiresNoRelease(t *testing.T) {
	root := tree(t, lockstep+pkg("a", "0.1.6", ""))
	h := history{
		tags:    map[string]string{"v0.1.5": "1"},
		commits: map[string][]bump.Commit{"v0.1.5": {{Hash: "2", Subject: "chore(release): v0.1.6", Paths: []string{"a/pixi.toml"}}}},
	}
	p := plan(t, root, bump.Request{To: "auto"}, h)
	require.Empty(t, p.Tags)
	require.Equal(t, []string{"nothing to release: 1 commit since v0.1.5, 1 touches a package: 1 has a type that needs no release, such as docs or chore"}, p.Notes)
}
