package command

import (
	"path"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The fast paths of matches agree with path.Match for names without a slash. A star at an end of a pattern also matches a slash.
func TestMatchesIsPathMatch(t *testing.T) {
	patterns := slices.Concat(secretNames, ways, Fetching, Remote, Docker, []string{"", "*", "**", "A*B", "A?", "[AB]*", `\*A`, "[", "*[", "*A*B*"})
	for _, c := range credentials {
		patterns = append(patterns, c.names...)
	}
	names := []string{"", "A", "AB", "AXB", "*A", "B", "TOKEN", "TOKENS", "MY_TOKEN_X", "X_SECRET_Y", "ACTIONS_", "ACTIONS", "XACTIONS_Y", "GIT_SSH", "NETRC", "XNETRC"}
	for _, pattern := range patterns {
		for _, name := range append(names, pattern, "X"+pattern, pattern+"X") {
			want, err := path.Match(pattern, name)
			require.Equal(t, want && err == nil, matches([]string{pattern}, name), "%q of %q", pattern, name)
		}
	}
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*TOKEN", "A/B_TOKEN", true},
		{"GIT_*", "GIT_A/B", true},
		{"*SECRET*", "A/SECRET/B", true},
		{"*", "A/B", true},
		{"A*B", "A/B", false},
		{"A/B", "A/B", true},
	} {
		require.Equal(t, c.want, matches([]string{c.pattern}, c.name), "%q of %q", c.pattern, c.name)
	}
}
