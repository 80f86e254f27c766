package versionfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLiteralVersion: nothing panics, and the range is in the text.
func FuzzLiteralVersion(f *testing.F) {
	f.Add([]byte("x = '''\n'''\n__version__ = '1'\n"))
	f.Add([]byte("__version__: Final = \"1\" # ("))
	f.Fuzz(func(t *testing.T, src []byte) {
		if start, end, ok := literalVersion(src); ok {
			require.Less(t, start, end)
			require.LessOrEqual(t, end, len(src))
		}
	})
}
