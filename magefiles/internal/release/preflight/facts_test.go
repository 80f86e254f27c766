package preflight_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/release/preflight"
)

// Facts that were not gathered are left out of the line.
func TestFactsInALine(t *testing.T) {
	f := preflight.Facts{
		Branch:    "main",
		Commit:    "0123456789abcdef",
		Toolchain: "pixi 0.77.0",
		Channel:   "https://prefix.dev/mono",
	}
	require.Equal(t, "main at 0123456789ab; pixi 0.77.0; https://prefix.dev/mono", f.String())
	f.Credential, f.Lands = "the API key in PREFIX_API_KEY", "push"
	require.Equal(t, "main at 0123456789ab; pixi 0.77.0; https://prefix.dev/mono; the API key in PREFIX_API_KEY; main takes: push", f.String())
}
