package changelog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzChangelog holds that whatever a changelog holds, the section of a release goes into it once, no line that people wrote is lost,
// and every byte in front of the section and behind it stays.
func FuzzChangelog(f *testing.F) {
	for _, text := range []string{
		"", "# Changelog\n", "# Changelog\n\n## [Unreleased]\n\n### a\n\n- one\n\n## [1.0.0] - 2025-01-01\n\n- zero\n", "## Unreleased", "## [Unreleased]\r\n\r\n### a\r\n- one\r\n\r\n## 1\r\n",
		"## unreleased\n### a\n- x\n### a\n- y\n###  b \n", "\xff\xfe## [Unreleased]\n- \xff", "## [Unreleased]\n## [Unreleased]\n", "```\n## [Unreleased]\n```\n", "### \n\n### x\r\r\n", "no end",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e := Add(src, "[9.8.7] - 2026-01-02", []Group{{Name: "a", Lines: "- Added (1a2b3c4)\n"}})
		require.Equal(t, e.Old, src[e.Start:e.End()])
		after := src[:e.Start] + e.New + src[e.End():]
		require.Contains(t, e.New, "## [9.8.7] - 2026-01-02")
		require.Contains(t, e.New, "- Added (1a2b3c4)")
		words := func(text string) map[string]int {
			all := map[string]int{}
			for _, w := range strings.Fields(text) {
				all[w]++
			}
			return all
		}
		now := words(after)
		for w, n := range words(subsection.ReplaceAllString(src, "")) { // a heading with nothing below it goes
			if n == 1 {
				require.NotZero(t, now[w], "%q is lost of %q, which became %q", w, src, after)
			}
		}
	})
}
