package condapkg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

func TestNormalizeVersion(t *testing.T) {
	for written, normal := range map[string]string{
		"": "", "*": "", " ": "",
		"1.2": "==1.2", "==1.2": "==1.2", " == 1.2 ": "==1.2", "===1.2": "==1.2",
		"=1.2": "1.2.*", "1.2.*": "1.2.*", "1.2*": "1.2.*", "=1.2.*": "1.2.*", "==1.2.*": "1.2.*", "2.*": "2.*",
		"!=1.2.*": "!=1.2.*", ">=1.2.*": ">=1.2", "~=6.0": "~=6.0",
		">=2024.06.1": ">=2024.6.1", "2024.06.*": "2024.6.*", "=2024.06": "2024.6.*", "==00": "==0", "~=2024.06": "~=2024.6", "!=01.*": "!=1.*",
		">=1.0.0a01,<02": ">=1.0.0a1,<2", "==1.0RC1": "==1.0rc1", ">=1!02.1": ">=1!2.1", "==0.010": "==0.10", "==1.0+01": "==1.0+1", "10.0": "==10.0",
		">=1, <2": ">=1,<2", "2 | 1": "==2|==1", ">=1,<2|>=3": ">=1,<2|>=3",
		"(>=1 | <0.5), !=2": "(>=1|<0.5),!=2",
	} {
		require.Equal(t, normal, condapkg.NormalizeVersion(written), written)
	}
}

func TestConstraintOrderIsIgnored(t *testing.T) {
	require.True(t, condapkg.ParseMatchSpec("a >=1, <2").Same(condapkg.ParseMatchSpec("A <2,>=1")))
	require.True(t, condapkg.ParseMatchSpec("a 2|1").Same(condapkg.ParseMatchSpec("a ==1|==2")))
	require.False(t, condapkg.ParseMatchSpec("a >=1,<2").Same(condapkg.ParseMatchSpec("a >=1|<2")))
	require.False(t, condapkg.ParseMatchSpec("a ==1").Same(condapkg.ParseMatchSpec("a ==1 b")))
}

func TestParseMatchSpec(t *testing.T) {
	for written, normal := range map[string]string{
		"numpy": "numpy", "Numpy >=1": "numpy >=1", "numpy>=1": "numpy >=1", "a-b ==1 py*": "a-b ==1 py*",
		"conda-forge::numpy >=1": "numpy >=1", "numpy[version='>=1']": "numpy >=1", "numpy=1.26": "numpy 1.26.*",
		"conda-forge/linux-64::a 1.*": "a 1.*", "a[version='>=1', build=\"x_0\"]": "a >=1 x_0",
		"a >=1[build=x]": "a >=1 x", "a >=1; if linux": "a >=1", "": "",
	} {
		require.Equal(t, normal, condapkg.ParseMatchSpec(written).String(), written)
	}
}
