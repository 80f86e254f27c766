package toolchain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNormalizeVersion(t *testing.T) {
	for written, normal := range map[string]string{
		"": "", "*": "", " ": "",
		"1.2": "==1.2", "==1.2": "==1.2", " == 1.2 ": "==1.2", "===1.2": "==1.2",
		"=1.2": "1.2.*", "1.2.*": "1.2.*", "1.2*": "1.2.*", "=1.2.*": "1.2.*", "==1.2.*": "1.2.*", "2.*": "2.*",
		"!=1.2.*": "!=1.2.*", ">=1.2.*": ">=1.2", "~=6.0": "~=6.0",
		">=1, <2": ">=1,<2", "2 | 1": "==2|==1", ">=1,<2|>=3": ">=1,<2|>=3",
		"(>=1 | <0.5), !=2": "(>=1|<0.5),!=2",
	} {
		require.Equal(t, normal, normalizeVersion(written), written)
	}
}

func TestOrderOfAConstraintDoesNotCount(t *testing.T) {
	require.True(t, parseMatchSpec("a >=1, <2").same(parseMatchSpec("A <2,>=1")))
	require.True(t, parseMatchSpec("a 2|1").same(parseMatchSpec("a ==1|==2")))
	require.False(t, parseMatchSpec("a >=1,<2").same(parseMatchSpec("a >=1|<2")))
	require.False(t, parseMatchSpec("a ==1").same(parseMatchSpec("a ==1 b")))
}

func TestParseMatchSpec(t *testing.T) {
	for written, normal := range map[string]string{
		"numpy": "numpy", "Numpy >=1": "numpy >=1", "numpy>=1": "numpy >=1", "a-b ==1 py*": "a-b ==1 py*",
		"conda-forge/linux-64::a 1.*": "a 1.*", "a[version='>=1', build=\"x_0\"]": "a >=1 x_0",
		"a >=1[build=x]": "a >=1 x", "a >=1; if linux": "a >=1", "": "",
	} {
		require.Equal(t, normal, parseMatchSpec(written).String(), written)
	}
}

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
