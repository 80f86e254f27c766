package minichannel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/minichannel"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// The channel works as a stand-in for conda-forge: the solver accepts its packages, the installer unpacks them, and they run.
func TestTheChannelRuns(t *testing.T) {
	python := rattlertest.SolveInstall(t, []string{minichannel.Start(t)}, []string{"python", "xarray", "pandas", "panel", "bokeh"})
	out := pythontest.MustRun(t, python, `
import sys, ssl, sqlite3, zlib, ctypes, numpy, xarray, pandas, panel, bokeh
assert numpy.__file__.startswith(sys.prefix), numpy.__file__
print(float(xarray.DataArray(numpy.arange(4)).sum()), pandas.Series([1, 2]).sum())
`, nil)
	require.Equal(t, "6.0 3\n", out)
}
