package copies

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// findWhole finds a version only if no adjacent letter, digit or dot makes it a different version.
func TestFindWholeWords(t *testing.T) {
	for text, want := range map[string][]int{
		"0.1.0":                    {0},
		"v0.1.0 and V0.1.0":        {1, 12},
		"core-0.1.0.tar.gz":        {5},
		"0.1.0, 0.1.0.":            {0, 7},
		"0.1.0-linux":              {0},
		"10.1.0 0.1.01 1.0.1.0":    nil,
		"0.1.0.1 0.1.0rc1 0.1.0+x": nil,
		"0.1.0-rc.1 0.1.0-dev":     nil,
		"x0.1.0 xv0.1.0 _0.1.0":    nil,
		"0.2.0":                    nil,
	} {
		require.Equal(t, want, findWhole(text, "0.1.0"), text)
	}
}
