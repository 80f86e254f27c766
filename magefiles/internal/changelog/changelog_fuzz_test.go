package changelog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzChangelog checks that for any changelog a release's section is inserted exactly once, that no existing line is lost, and that all bytes
// before and after the section are unchanged.
func FuzzChangelog(f *testing.F) {
	for _, text := range []string{
		"", "# Changelog\n", "# Changelog\n\n## [Unreleased]\n\n### a\n\n- one\n\n## [1.0.0] - 2025-01-01\n\n- zero\n", "## Unreleased", "## [Unreleased]\r\n\r\n### a\r\n- one\r\n\r\n## 1\r\n",
		"## unreleased\n### a\n- x\n### a\n- y\n###  b \n", "\xff\xfe## [Unreleased]\n- \xff", "## [Unreleased]\n## [Unreleased]\n", "```\n## [Unreleased]\n```\n", "### \n\n### x\r\r\n", "no end",
		"### [0.1.1](https://x) (2026-10-01)\n\n### Bug Fixes\n\n* x\n\n## 0.1.0\n", "1.0.0\n=====\n\nFixes\n-----\n\n- x\n", "# v1\n## x\n", "<!--\n## 1.0\n-->\n\n- ## 2.0\n> ## 3.0\n\n## 1.2.0 (unreleased)\n- x\n\n## 1.1\n",
		"---\ntitle: x\n---\n# 1.0\n", "## 1\n## 2\n", "**1.0.0**\n- x\n", "###### Unreleased\n\n###### 1.0\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Add(File, src, "[9.8.7] - 2026-01-02", []Group{{Name: "a", Lines: "- Added (1a2b3c4)\n"}})
		if err != nil {
			return // Add refused the changelog
		}
		require.Equal(t, e.Old, src[e.Start:e.End()])
		after := src[:e.Start] + e.New + src[e.End():]
		require.Contains(t, e.New, "[9.8.7] - 2026-01-02")
		require.Contains(t, e.New, "- Added (1a2b3c4)")
		words := func(text string) map[string]int {
			all := map[string]int{}
			for _, w := range strings.Fields(text) {
				all[w]++
			}
			return all
		}
		now := words(after)
		o := readOutline([]byte(src))
		kept := []byte(src)
		for _, h := range o.headings { // headings of empty groups and of the upcoming version are removed
			if i := o.open(); i >= 0 && (h.level == o.headings[i].level+1 || h.release && h.unreleased) {
				copy(kept[h.start:h.end], strings.Repeat(" ", h.end-h.start))
			}
		}
		for w, n := range words(string(kept)) {
			if n == 1 {
				require.NotZero(t, now[w], "the word %q is missing: %q became %q", w, src, after)
			}
		}
	})
}
