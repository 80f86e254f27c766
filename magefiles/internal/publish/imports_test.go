package publish

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestModules(t *testing.T) {
	require.Equal(t, []string{"a", "ns.one", "single"}, modules([]string{
		"info/index.json",
		"site-packages/a/__init__.py", "site-packages/a/sub/deep.py", "site-packages/a/__main__.py",
		"site-packages/a-1.0.dist-info/METADATA",
		"site-packages/ns/one/__init__.py", "site-packages/ns/one/x.py",
		"site-packages/single.py", "site-packages/data.txt",
		"python-scripts/tool.py", "share/other.py",
	}))
	require.Empty(t, modules([]string{"share/data.txt"}))
}
