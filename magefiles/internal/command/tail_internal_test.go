package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The last lines are kept for writes of any size, and the cost of many small writes is linear in their total size.
func TestTail(t *testing.T) {
	var all strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&all, "line %d\n", i)
	}
	want := strings.Split(strings.TrimSuffix(all.String(), "\n"), "\n")
	for _, size := range []int{1, 7, 100, tailBytes - 1, tailBytes, tailBytes + 1, 3 * tailBytes, all.Len()} {
		var last tail
		for rest := all.String(); rest != ""; {
			n := min(size, len(rest))
			wrote, err := last.Write([]byte(rest[:n]))
			require.NoError(t, err)
			require.Equal(t, n, wrote)
			rest = rest[n:]
		}
		require.Equal(t, strings.Join(want[len(want)-tailLines:], "\n"), last.String(), size)
		require.LessOrEqual(t, cap(last.buf), 4*tailBytes, size)
	}
	var last tail
	piece := []byte(strings.Repeat("x", 200))
	require.Less(t, testing.AllocsPerRun(1000, func() { _, _ = last.Write(piece) }), 0.5)

	last = tail{}
	_, _ = last.Write([]byte(strings.Repeat("y", tailBytes+5)))
	_, _ = last.Write([]byte("z"))
	require.Len(t, last.String(), tailBytes, "a line that is too long")
}
