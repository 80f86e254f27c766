package file_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/pins"
)

// If the comment after a commit hash is a version, it must be that commit's version. An unknown commit is reported.
func TestPins(t *testing.T) {
	pin, known := pins.Find("Actions/Checkout")
	require.True(t, known)
	ours, other := "actions/checkout@"+pin.Commit, "actions/checkout@"+strings.Repeat("1", 40)
	major, _, _ := strings.Cut(pin.Version, ".")
	for uses, want := range map[string]struct{ refused, unknown string }{
		pin.Use():                            {},
		"Actions/Checkout@" + pin.Commit:     {},
		ours + " # " + major:                 {},
		ours + " # what is released":         {},
		ours + " # v1.0.0":                   {refused: "x.yml:5:15: the commit is " + pin.Version + " of actions/checkout, but the comment beside the commit says v1.0.0"},
		other + " # " + pin.Version:          {refused: "which is the commit " + pin.Commit, unknown: "does not know the version of"},
		other + " # v99.0.0":                 {unknown: "x.yml:5:15: the stand-in does not know the version of " + other + ": it does what " + pin.Version + " does"},
		"actions/checkout@v4":                {unknown: "does not know the version of"},
		"octo/x@" + pin.Commit + " # v1.0.0": {},
		"./own # v1.0.0":                     {},
	} {
		w, err := file.Read("x.yml", []byte("on: push\njobs:\n  a:\n    steps:\n      - uses: "+uses+"\n    runs-on: ubuntu-24.04\n"))
		require.NoError(t, err)
		err = file.CheckPin(w.Jobs[0].Node.At("steps").Items()[0].At("uses"))
		if want.refused == "" {
			require.NoError(t, err, uses)
		} else {
			require.ErrorContains(t, err, want.refused)
		}
		err = errors.Join(w.UnknownPins()...)
		if want.unknown == "" {
			require.NoError(t, err, uses)
		} else {
			require.ErrorContains(t, err, want.unknown)
		}
	}
}
