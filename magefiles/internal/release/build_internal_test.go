package release

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTail(t *testing.T) {
	var l tail
	require.Equal(t, "no output", l.last())
	fmt.Fprint(&l, "first\n===== 99 passed in 1.0s =====\n\n")
	require.Equal(t, "99 passed in 1.0s", l.last())
	for i := range 5000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	require.Equal(t, "line 4999", l.last())
	require.NotContains(t, l.text(), "line 4000")
}
