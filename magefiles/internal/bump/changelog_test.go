package bump_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// The changelog is an existing file with a common name, or the configured file.
func TestWhichChangelog(t *testing.T) {
	const text = "# History\n\n## 0.1.5\n\n- y\n"
	for _, c := range []struct {
		name    string
		files   []string
		setting string
		want    string // "" if none is written
		note    string
		refused string
	}{
		{name: "none", want: "CHANGELOG.md"},
		{name: "HISTORY.md", files: []string{"HISTORY.md"}, want: "HISTORY.md"},
		{name: "CHANGES.md", files: []string{"CHANGES.md"}, want: "CHANGES.md"},
		{name: "in small letters", files: []string{"changes.md"}, want: "changes.md"},
		{name: "ours before others", files: []string{"CHANGELOG.md", "HISTORY.md"}, want: "CHANGELOG.md"},
		{name: "a setting", files: []string{"docs/news.md", "CHANGELOG.md"}, setting: "docs/news.md", want: "docs/news.md"},
		{name: "a setting in small letters", files: []string{"changelog.md"}, setting: "changelog.md", want: "changelog.md"},
		{name: "two", files: []string{"CHANGES.md", "HISTORY.md"}, refused: "there are two changelogs, CHANGES.md and HISTORY.md"},
		{name: "reStructuredText", files: []string{"CHANGES.rst"}, note: "CHANGES.rst is not Markdown, so the file is not changed: add the section of this release to the file yourself"},
		{name: "another one", files: []string{"history.rst"}, note: "history.rst is not Markdown, so the file is not changed: add the section of this release to the file yourself"},
		{name: "plain text", files: []string{"CHANGELOG.txt"}, note: "CHANGELOG.txt is not Markdown, so the file is not changed: add the section of this release to the file yourself"},
		{name: "Markdown beside it", files: []string{"CHANGES.rst", "HISTORY.md"}, want: "HISTORY.md"},
	} {
		archive := lockstep
		if c.setting != "" {
			archive += "[tool.release]\nchangelog = \"" + c.setting + "\"\n"
		}
		for _, file := range c.files {
			archive += "-- " + file + " --\n" + text
		}
		root := tree(t, archive+pkg("a", "0.1.6", ""))
		p, err := bump.New(t.Context(), load(t, root), bump.Request{To: "patch", Changelog: true, Date: "2026-01-02"}, history{})
		if c.refused != "" {
			require.ErrorContains(t, err, c.refused)
			continue
		}
		require.NoError(t, err, c.name)
		var written []string
		for _, f := range p.Files {
			if f.Path != "a/pixi.toml" {
				written = append(written, f.Path)
			}
		}
		if c.want == "" {
			require.Empty(t, written, c.name)
			require.Contains(t, p.Notes, c.note)
			continue
		}
		require.Equal(t, []string{c.want}, written, c.name)
		apply(t, root, p)
		require.Contains(t, files(t, root)[c.want], "## [0.1.7] - 2026-01-02\n")
		later := plan(t, root, bump.Request{To: "patch", IfThere: true}, history{})
		require.True(t, later.Request.Changelog, "a release writes the existing changelog")
		require.NoError(t, later.Check(load(t, root)))
	}
	for _, setting := range []string{"../x.md", "/x.md", "x.rst", ".git/x.md", "*.md", ""} {
		root := tree(t, strings.Replace(independent, "versioning = \"independent\"", "changelog = \""+setting+"\"", 1)+pkg("a", "0.1.6", ""))
		require.Error(t, loadError(root), setting)
	}
}
