package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnpinned decides by what is asked for, and for every way to write it.
func TestUnpinned(t *testing.T) {
	for name, c := range map[string]struct {
		requires, unmet []string
	}{
		"nothing":         {},
		"pinned":          {requires: []string{"hatchling", "hatch-vcs>=0.4", "Setuptools_SCM[toml] >= 8, <11", "wheel (>=0.40)", `setuptools>=64; python_version >= "3.8"`}},
		"by wildcard":     {requires: []string{"flit_core==4.*", "poetry-core~=2.0"}},
		"versioningit":    {requires: []string{"versioningit>=3", "poetry-dynamic-versioning>=1.0.0,<2.0.0"}},
		"an older one":    {[]string{"hatchling<1.20", "hatch-vcs"}, []string{"hatchling<1.20"}},
		"one that is not": {[]string{"setuptools", "cython>=3", "a"}, []string{"cython>=3", "a"}},
		"an address":      {[]string{"hatchling @ https://example.org/hatchling-1.0-py3-none-any.whl"}, []string{"hatchling @ https://example.org/hatchling-1.0-py3-none-any.whl"}},
		"what nobody can read": {
			[]string{"hatchling >> 1", "-r evil.txt", "--index-url=http://127.0.0.1", "./local", ""},
			[]string{"hatchling >> 1", "-r evil.txt", "--index-url=http://127.0.0.1", "./local", ""},
		},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.unmet, unpinned(c.requires)) })
	}
}
