package version

import (
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/require"
)

// ascending lists versions in PEP 440 order (PEP 440's examples, within the subset).
var ascending = []string{
	"0.0.9", "0.1.0.dev3", "0.1.0a1.dev1", "0.1.0a1", "0.1.0a2", "0.1.0b1", "0.1.0rc1.dev1", "0.1.0rc1", "0.1.0rc2",
	"0.1.0rc2.post1", "0.1.0", "0.1.0.post1.dev1", "0.1.0.post1", "0.1.0.post2", "0.1.0.1", "0.1.10", "0.2.0", "1", "2026.01.2", "2026.10",
}

func TestCompare(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			v, err := Parse(a)
			require.NoError(t, err)
			w, err := Parse(b)
			require.NoError(t, err)
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			require.Equal(t, want, v.Compare(w), "%s %s", a, b)
		}
	}
}

// For versions that are valid in SemVer, Masterminds/semver has the same order.
func TestCompareAgreesWithSemVer(t *testing.T) {
	pairs := [][2]string{
		{"0.1.0", "0.1.0"},
		{"0.1.0rc1", "0.1.0-rc.1"},
		{"0.1.0a2", "0.1.0-a.2"},
		{"0.1.0b1", "0.1.0-b.1"},
		{"0.2.0", "0.2.0"},
		{"0.1.10", "0.1.10"},
		{"0.1.0rc10", "0.1.0-rc.10"},
		{"1.0.0", "1.0.0"},
	}
	for _, a := range pairs {
		for _, b := range pairs {
			v, err := Parse(a[0])
			require.NoError(t, err)
			w, err := Parse(b[0])
			require.NoError(t, err)
			require.Equal(t, semver.MustParse(a[1]).Compare(semver.MustParse(b[1])), v.Compare(w), "%s %s", a[0], b[0])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "v0.1.0", "0.1.0-rc.1", "1!0.2", "0.2.0+local.1", "dynamic", "0.1.", "0.1.0rc", "0.1.0.dev", "0.1.0 ", "0.1.0c1", "99999999999999999999"} {
		_, err := Parse(s)
		require.Error(t, err, "%q", s)
	}
}

func TestPrerelease(t *testing.T) {
	for s, want := range map[string]bool{"0.1.0": false, "0.1.0.post1": false, "0.1.0rc1": true, "0.1.0.dev1": true} {
		v, err := Parse(s)
		require.NoError(t, err)
		require.Equal(t, want, v.Prerelease(), s)
		require.Equal(t, s, v.String())
	}
}

func TestSame(t *testing.T) {
	require.True(t, Same("0.1.6", "0.1.6.0"))
	require.True(t, Same("2026.01.0", "2026.1"))
	require.True(t, Same("1!2", "1!2"))
	require.False(t, Same("0.1.6", "0.1.6.post0"))
	require.False(t, Same("1!2", "2"))
}

func TestPin(t *testing.T) {
	for spec, want := range map[string]string{
		"==0.1.0": "0.1.0", "0.1.0": "0.1.0", " == 0.1.0 ": "0.1.0", "===0.1.0": "0.1.0", "==0.1.0rc1": "0.1.0rc1",
		"==1!2.0": "1!2.0", "==0.1.0+local": "0.1.0+local", "==\t0.1": "0.1",
		"": "", "*": "", "=0.1.0": "", "0.1.*": "", "==0.1.*": "", ">=0.1.0": "", "~=0.1": "", "!=0.1.0": "",
		"==0.1.7|==0.1.6": "", "==0.1.0,<2": "", ">=0.1,==0.1.0": "", "==0.1.7 pyh4616a5c_0": "", "====0.1": "",
	} {
		got, exact := Pin(spec)
		require.Equal(t, want, got, "%q", spec)
		require.Equal(t, want != "", exact, "%q", spec)
	}
}

func TestEquivalent(t *testing.T) {
	for _, same := range [][2]string{
		{"0.1", "0.1.0"},
		{"1.0rc1", "1.0.0-rc.1"},
		{"1.0a", "1.0a0"},
		{"2024.01.05", "2024.1.5"},
		{"v1.2", "1.2"},
		{"1.0.preview3", "1rc3"},
		{"1!1.0", "1!1"},
		{"0!1.0", "1.0"},
		{"01!2", "1!2.0"},
		{"1.0+CU-118", "1.0+cu.118"},
		{"1.0-1", "1.0.post1"},
		{"weird", "weird"},
	} {
		require.True(t, Equivalent(same[0], same[1]), same)
		require.True(t, Equivalent(same[1], same[0]), same)
	}
	for _, other := range [][2]string{
		{"0.1.1", "0.1.1.dev2+g1234567"},
		{"0.1.1", "0.1.1+d20260101"},
		{"1.0", "1!1.0"},
		{"1.0+a", "1.0+b"},
		{"1.0", "1.0.post1"},
		{"unknown", "Unknown"},
		{"0.1.0", ""},
		{"1.0rc1", "1.0"},
		{"x!1.0", "1.0"},
		{"1.0.dev0", "1.0"},
	} {
		require.False(t, Equivalent(other[0], other[1]), other)
		require.False(t, Equivalent(other[1], other[0]), other)
	}
}

func TestKnown(t *testing.T) {
	for _, text := range []string{"1", "0.1.0", "v1.0-beta.2", "1!2.0", "1.0.dev3+g12.dirty", "2026.7"} {
		require.True(t, Known(text), text)
	}
	for _, text := range []string{"", "unknown", "(1, 2)", "1.0 (debug)", "x!1", "latest", "1.x"} {
		require.False(t, Known(text), text)
	}
}
