package about

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// The error of a program that was stopped is hidden as redundant. Earlier errors are shown, however the output is split into writes.
func TestErrorOfAStoppedProgram(t *testing.T) {
	const before, after = "one\nError: it failed\n→ correct it\ntwo\n", "three\nError: stopped\nwith detail"
	for size := 1; size < len(before); size += 5 {
		var shown bytes.Buffer
		stopped := false
		w := Without((&view.View{}).Inner(&shown), ErrorAfter(func() bool { return stopped }))
		for _, said := range []string{before, after} {
			for part := range slices.Chunk([]byte(said), size) {
				_, err := w.Write(part)
				require.NoError(t, err)
			}
			stopped = true
		}
		require.NoError(t, w.EndLine())
		require.Equal(t, "one\nError: it failed\ntwo\nthree\n", shown.String())
	}
	var shown bytes.Buffer
	w := Without((&view.View{}).Inner(&shown), func(line string) bool { return line == "no" })
	_, err := fmt.Fprint(w, "no\nyes\nthe end")
	require.NoError(t, err)
	require.NoError(t, w.EndLine())
	require.Equal(t, "yes\nthe end\n", shown.String())
}
