package toolchain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		expression, platform string
		value                truth
	}{
		{"", "", yes},
		{"linux", "linux-64", yes},
		{"linux", "osx-64", no},
		{"linux", "", unknown},
		{"unix", "osx-64", yes},
		{"unix", "win-64", no},
		{"osx", "osx-arm64", yes},
		{"win", "win-64", yes},
		{"not win", "linux-64", yes},
		{"linux and not osx", "linux-64", yes},
		{"linux or osx", "win-64", no},
		{"(linux or osx) and unix", "osx-64", yes},
		{"host_platform == 'linux-64'", "linux-64", yes},
		{`target_platform != "linux-64"`, "linux-64", no},
		{"matches(python, '>=3.10')", "linux-64", unknown},
		{"linux and cuda", "linux-64", unknown},
		{"osx and cuda", "linux-64", no},
		{"linux or cuda", "linux-64", yes},
		{"linux +", "linux-64", unknown},
		{"(linux", "linux-64", unknown},
		{"not", "linux-64", unknown},
		{"host_platform", "linux-64", unknown},
		{"linux linux", "linux-64", unknown},
	} {
		require.Equal(t, c.value, holds(c.expression, c.platform), "%q on %q", c.expression, c.platform)
	}
}
