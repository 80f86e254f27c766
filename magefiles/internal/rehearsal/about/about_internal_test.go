package about

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Output is attributed to the step that printed it, however it is split into writes.
func TestOutputOfAStep(t *testing.T) {
	const said = "going on\n✓ preflight                  0.1s  main\n  12 passed\n── qa\n✗ qa (0.1s)\n✓ check                     <0.1s  passed\n○ GitHub release                    skipped: no token\n✗ bump and commit            0.1s  stopped here\nthe end"
	for size := 1; size < 40; size += 3 {
		l := &Log{}
		for at := 0; at < len(said); at += size {
			part := said[at:min(at+size, len(said))]
			n, err := fmt.Fprint(l, part)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.Equal(t, map[string]string{"preflight": "going on\n", "check": "  12 passed\n── qa\n✗ qa (0.1s)\n"}, l.of)
	}
	l := &Log{}
	require.Empty(t, l.Next())
	_, err := fmt.Fprint(l, "✓ import  <0.1s  a → b\n→ do this\n→ or that\n")
	require.NoError(t, err)
	require.Equal(t, "or that", l.Next())
	_, err = fmt.Fprint(l, strings.Repeat(strings.Repeat("x", 99)+"\n", 1000)+"the last\n✓ check     0.1s  x\n")
	require.NoError(t, err)
	require.LessOrEqual(t, len(l.Of("check")), mostOfLog+len("…\n"))
	require.True(t, strings.HasPrefix(l.Of("check"), "…\nxxx"))
	require.True(t, strings.HasSuffix(l.Of("check"), "x\nthe last\n"))
}
