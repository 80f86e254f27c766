package view_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each file that was sent gets a line with the progress of all files. Bytes that are sent again do not count twice.
func TestProgress(t *testing.T) {
	v, out, errOut := newView()
	p := v.Progress()
	p.Begin(2, 30_000)
	p.ShowSent("a.conda", 5000, 10_000)
	p.ShowSent("a.conda", 0, 10_000)
	p.ShowSent("a.conda", 10_000, 10_000)
	p.Done("a.conda", nil)
	p.ShowSent("b.conda", 1000, 20_000)
	p.Done("b.conda", errors.New("no"))
	p.End()
	require.Empty(t, out.String())
	require.Equal(t, "  ✓ a.conda (1 of 2 files, 10 kB of 30 kB)\n  ✗ b.conda (2 of 2 files, 11 kB of 30 kB)\n", errOut.String())
}
