package releasing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who installs from a private channel logs in first.
func TestHowAReleaseIsInstalled(t *testing.T) {
	specs := []string{`"a==1.0"`, `"b==1.0"`}
	const public = "To install it: pixi workspace channel add https://conda.example:8443/team && pixi add \"a==1.0\" \"b==1.0\""
	require.Equal(t, public, toInstall("https://conda.example:8443/team", specs, false))
	require.Equal(t, public+"\nThe channel is private: who installs from it is a member of it, and runs `pixi auth login conda.example` once",
		toInstall("https://conda.example:8443/team", specs, true))
}
