package changelog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlaceOfTheSection adds 9.9.9 to changelogs in the forms that users and other tools write. The section is inserted in the right place and
// in the existing style, and all other bytes are unchanged.
func TestPlaceOfTheSection(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"standard-version, whose patches are lower", "# Changelog\n\nAll of it.\n\n### [0.1.1](https://x/compare/v0.1.0...v0.1.1) (2026-10-01)\n\n\n### Bug Fixes\n\n* first\n\n## 0.1.0 (2026-09-01)\n\n\n### Features\n\n* begin\n", "# Changelog\n\nAll of it.\n\n## 9.9.9\n\n### a\n\n- x\n\n### [0.1.1](https://x/compare/v0.1.0...v0.1.1) (2026-10-01)\n\n\n### Bug Fixes\n\n* first\n\n## 0.1.0 (2026-09-01)\n\n\n### Features\n\n* begin\n"},
		{"underlined", "Changelog\n=========\n\n1.0.0 (2026-01-02)\n------------------\n\n- y\n", "Changelog\n=========\n\n9.9.9\n-----\n\n### a\n\n- x\n\n1.0.0 (2026-01-02)\n------------------\n\n- y\n"},
		{"underlined twice", "1.0.0\n=====\n\nFixes\n-----\n\n- y\n", "9.9.9\n=====\n\n## a\n\n- x\n\n1.0.0\n=====\n\nFixes\n-----\n\n- y\n"},
		{"the highest level", "# v1\n\n- y\n\n# v0\n\n- z\n", "# 9.9.9\n\n## a\n\n- x\n\n# v1\n\n- y\n\n# v0\n\n- z\n"},
		{"links", "# C\n\n## [v1.0.0][1]\n\n- y\n\n[1]: https://x\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## [v1.0.0][1]\n\n- y\n\n[1]: https://x\n"},
		{"days", "# C\n\n## 2026-01-02\n\n- y\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## 2026-01-02\n\n- y\n"},
		{"names", "# C\n\n## acme 1.0.0 - 2026-01-02\n\n- y\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## acme 1.0.0 - 2026-01-02\n\n- y\n"},
		{"words", "# C\n\n## Version 1.0 (2026-01-02)\n\n- y\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## Version 1.0 (2026-01-02)\n\n- y\n"},
		{"code names", "# C\n\n## 1.0.0 Spring\n\n- y\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0 Spring\n\n- y\n"},
		{"candidates", "# C\n\n## 1.0.0rc1\n\n- y\n", "# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0rc1\n\n- y\n"},
		{"a template in a comment", "# C\n\n<!--\n## [2.0.0] - DATE\n-->\n\n## 1.0.0\n\n- y\n", "# C\n\n<!--\n## [2.0.0] - DATE\n-->\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"code", "# C\n\n```\n## 2.0.0\n```\n\n    ## 3.0.0\n\n## 1.0.0\n\n- y\n", "# C\n\n```\n## 2.0.0\n```\n\n    ## 3.0.0\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"lists and quotations", "# C\n\n- ## 2.0.0\n\n> ## 3.0.0\n\n## 1.0.0\n\n- y\n", "# C\n\n- ## 2.0.0\n\n> ## 3.0.0\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"a table of contents", "# C\n\n- [1.0.0](#100)\n\n## 1.0.0\n\n- y\n", "# C\n\n- [1.0.0](#100)\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"lines for a site generator", "---\ntitle: 1.0\n---\n\n# C\n\n## 1.0.0\n\n- y\n", "---\ntitle: 1.0\n---\n\n# C\n\n## 9.9.9\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"a part that begins with a number", "# C\n\n## Unreleased\n\n### 3.12 support\n\n- z\n\n## 1.0.0\n\n- y\n", "# C\n\n## Unreleased\n\n## 9.9.9\n\n### 3.12 support\n\n- z\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"code below Unreleased", "## Unreleased\n\n```\n## no\n### no\n```\n\n## 1.0.0\n", "## Unreleased\n\n## 9.9.9\n\n```\n## no\n### no\n```\n\n### a\n\n- x\n\n## 1.0.0\n"},
		{"Unreleased underlined", "Unreleased\n----------\n\n- z\n\n1.0.0\n-----\n\n- y\n", "Unreleased\n----------\n\n9.9.9\n-----\n\n- z\n\n### a\n\n- x\n\n1.0.0\n-----\n\n- y\n"},
		{"Unreleased at the highest level", "# Unreleased\n\n## b\n\n- z\n\n# 1.0.0\n\n- y\n", "# Unreleased\n\n# 9.9.9\n\n## b\n\n- z\n\n## a\n\n- x\n\n# 1.0.0\n\n- y\n"},
		{"Unreleased before a patch of standard-version", "## Unreleased\n\n- z\n\n### 1.0.1\n\n- y\n", "## Unreleased\n\n## 9.9.9\n\n- z\n\n### a\n\n- x\n\n### 1.0.1\n\n- y\n"},
		{"the version to come, of zest.releaser", "# C\n\n## 1.1.0 (unreleased)\n\n- z\n\n## 1.0.0 (2026-01-02)\n\n- y\n", "# C\n\n## 9.9.9\n\n- z\n\n### a\n\n- x\n\n## 1.0.0 (2026-01-02)\n\n- y\n"},
		{"Next", "# C\n\n## Next\n\n- z\n\n## 1.0.0\n\n- y\n", "# C\n\n## Next\n\n## 9.9.9\n\n- z\n\n### a\n\n- x\n\n## 1.0.0\n\n- y\n"},
		{"nothing yet", "# C\n\nAll of it.\n", "# C\n\nAll of it.\n\n## 9.9.9\n\n### a\n\n- x\n"},
	} {
		e, err := Add(File, c.before, "9.9.9", []Group{{Name: "a", Lines: "- x\n"}})
		require.NoError(t, err, c.name)
		require.Equal(t, c.after, c.before[:e.Start]+e.New+c.before[e.End():], c.name)
	}
}

// TestUnrecognizedChangelogs checks that unrecognized changelogs are rejected, because a section in the wrong place is worse than none.
func TestUnrecognizedChangelogs(t *testing.T) {
	for name, before := range map[string]string{
		"bold lines":                     "# C\n\n**1.0.0**\n\n- y\n",
		"bold lines below Unreleased":    "## Unreleased\n\n- z\n\n**1.0.0** (2026-01-02)\n\n- y\n",
		"a list":                         "# C\n\n- 1.0.0: y\n",
		"a table":                        "# C\n\n| 1.0.0 | y |\n|---|---|\n\n- z\n",
		"names of seasons":               "# C\n\n## Spring\n\n- y\n\n## Winter\n\n- z\n",
		"in code":                        "# C\n\n```\n1.0.0\n  y\n```\n",
		"the newest at the bottom":       "# C\n\n## 1.0.0\n\n- y\n\n## 1.1.0\n\n- z\n",
		"Unreleased at the bottom":       "# C\n\n## 1.0.0\n\n- y\n\n## Unreleased\n\n- z\n",
		"days, the newest at the bottom": "## 2025-01-02\n\n## 2026-01-02\n",
	} {
		_, err := Add("docs/changes.md", before, "9.9.9", nil)
		require.ErrorContains(t, err, "docs/changes.md has ", name)
	}
}

// TestNotesOfARelease reads the notes of a release from a changelog.
func TestNotesOfARelease(t *testing.T) {
	is := func(title string) bool { return title == "[1.1.0](x)" || title == "1.1.0" }
	for _, c := range []struct{ src, want string }{
		{"## 1.1.0\n\n### a\n\n- y\n\n## 1.0.0\n", "### a\n\n- y"},
		{"### [1.1.0](x)\n\n### Bug Fixes\n\n- y\n\n## 1.0.0\n", "### Bug Fixes\n\n- y"},
		{"1.1.0\n-----\n\n- y\n\n1.0.0\n-----\n", "- y"},
		{"# 1.1.0\n\n## a\n\n- y\n\n# 1.0.0\n", "## a\n\n- y"},
		{"<!--\n## 1.1.0\nno\n-->\n## 1.1.0\n\n- y\n", "- y"},
		{"## 1.0.0\n", ""},
	} {
		require.Equal(t, c.want, Section([]byte(c.src), is), c.src)
	}
}
